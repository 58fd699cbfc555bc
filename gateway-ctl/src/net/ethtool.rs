//! Devices' offloads, by ethtool's netlink family.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use ethtool::{EthtoolAttr, EthtoolError, EthtoolFeatureAttr, EthtoolHandle};
use futures_util::TryStreamExt as _;

use super::netlink::answered;

/// Names of the features that are on (`rx-lro`, `rx-gro-hw`, ...), by device.
pub(crate) type Features = BTreeMap<String, Vec<String>>;

/// Asks for the features of these devices; one that does not tell has none.
///
/// # Errors
/// When the kernel cannot be asked.
pub(crate) async fn enabled_features(devices: &BTreeSet<String>) -> io::Result<Features> {
    let (connection, mut handle, _notices) = ethtool::new_connection()?;
    let answer = async {
        let mut enabled = Features::new();
        for device in devices {
            // A device may have gone, and a kernel may be without the family.
            if let Ok(names) = enabled_on(&mut handle, device).await {
                enabled.insert(device.clone(), names);
            }
        }
        Ok(enabled)
    };
    answered(connection, answer).await
}

async fn enabled_on(handle: &mut EthtoolHandle, device: &str) -> Result<Vec<String>, EthtoolError> {
    let answers = handle.feature().get(Some(device)).execute().await?;
    let messages: Vec<_> = answers.try_collect().await?;
    let attributes = messages
        .into_iter()
        .flat_map(|message| message.payload.nlas);
    let enabled = attributes.filter_map(|attribute| match attribute {
        EthtoolAttr::Feature(EthtoolFeatureAttr::Active(bits)) => Some(bits),
        _ => None,
    });
    Ok(enabled.flatten().map(|bit| bit.name).collect())
}
