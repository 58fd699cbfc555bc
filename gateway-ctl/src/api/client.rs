//! The other end of the socket: one request to a connection.

use std::path::{Path, PathBuf};

use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::types::ApiError;

/// Where the daemon listens.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    socket: PathBuf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Nobody listens, or we may not speak to them.
    #[error("no gateway answers at {}: {source}", socket.display())]
    Unreachable {
        socket: PathBuf,
        source: std::io::Error,
    },
    /// The daemon says no.
    #[error("{}", .0.error)]
    Refused(ApiError),
    /// It answers what we don't understand.
    #[error("the gateway at {} answers strangely: {why}", socket.display())]
    Strange { socket: PathBuf, why: String },
}

impl ClientError {
    /// What to do about it.
    pub(crate) fn fix(&self) -> String {
        match self {
            Self::Unreachable { source, .. }
                if source.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                "run as root: the socket is for its owner only".to_owned()
            }
            Self::Unreachable { .. } => {
                "start it (systemctl start gateway), or name its socket with --socket".to_owned()
            }
            Self::Refused(error) => error.fix.clone(),
            Self::Strange { .. } => {
                "daemon and gateway-ctl may be of different versions: restart the daemon".to_owned()
            }
        }
    }
}

impl Client {
    pub(crate) fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// Asks and reads the whole answer.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, Body::empty()).await
    }

    /// Sends a value and reads the whole answer.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| self.strange(error))?;
        self.call(Method::POST, path, body.into()).await
    }

    /// Sends bytes as they come and reads the whole answer.
    pub(crate) async fn post_stream<T: DeserializeOwned>(
        &self,
        path: &str,
        bytes: impl Iterator<Item = std::io::Result<Vec<u8>>> + Send + 'static,
    ) -> Result<T, ClientError> {
        let body = Body::from_stream(futures_util::stream::iter(bytes));
        self.call(Method::POST, path, body).await
    }

    /// Removes and reads the whole answer.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::DELETE, path, Body::empty()).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<T, ClientError> {
        let response = self.send(method, path, body).await?;
        let bytes = response
            .into_body()
            .collect()
            .await
            .map_err(|error| self.strange(error))?;
        serde_json::from_slice(&bytes.to_bytes()).map_err(|error| self.strange(error))
    }

    /// Asks for a stream of lines.
    pub(crate) async fn lines(&self, path: &str) -> Result<LineStream, ClientError> {
        let response = self.send(Method::GET, path, Body::empty()).await?;
        Ok(LineStream {
            body: response.into_body(),
            buffer: Vec::new(),
            socket: self.socket.clone(),
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream =
            UnixStream::connect(&self.socket)
                .await
                .map_err(|source| ClientError::Unreachable {
                    socket: self.socket.clone(),
                    source,
                })?;
        let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = connected.map_err(|error| self.strange(error))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "gateway")
            .header("content-type", "application/json")
            .body(body)
            .map_err(|error| self.strange(error))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| self.strange(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response).await)
    }

    async fn refusal(&self, response: Response<Incoming>) -> ClientError {
        let status: StatusCode = response.status();
        match response.into_body().collect().await {
            Ok(bytes) => match serde_json::from_slice(&bytes.to_bytes()) {
                Ok(error) => ClientError::Refused(error),
                Err(_) => self.strange(format!("status {status}")),
            },
            Err(error) => self.strange(error),
        }
    }

    fn strange(&self, why: impl ToString) -> ClientError {
        ClientError::Strange {
            socket: self.socket.clone(),
            why: why.to_string(),
        }
    }
}

/// An answer that comes line by line.
#[derive(Debug)]
pub(crate) struct LineStream {
    body: Incoming,
    buffer: Vec<u8>,
    socket: PathBuf,
}

impl LineStream {
    /// The next line, or `None` after the last.
    ///
    /// # Errors
    /// When the daemon ended before it was done.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return Ok(Some(self.buffer.drain(..=end).collect()));
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| ClientError::Strange {
                socket: self.socket.clone(),
                why: error.to_string(),
            })?;
            if let Ok(data) = frame.into_data() {
                self.buffer.extend(&data);
            }
        }
    }
}
