//! Who may connect, and what becomes of messages that wait.

use std::convert::Infallible;

use tokio::io::duplex;

use super::*;

type Lines = Connections<u8, Vec<u8>>;

fn host(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

#[test]
fn there_are_so_many_of_all_and_of_one_address() {
    let mut all = Lines::new(3, 2);
    let first = all.enter(1, host(1)).unwrap();
    assert!(all.enter(2, host(1)).is_some());
    assert!(all.enter(3, host(1)).is_none());
    assert!(all.enter(4, host(2)).is_some());
    assert!(all.enter(5, host(3)).is_none());
    assert!(all.leave(first).is_empty());
    assert_eq!(all.len(), 2);
    assert!(all.enter(5, host(3)).is_some());
}

#[test]
fn what_waits_is_bounded_and_comes_back() {
    let mut all = Lines::new(3, 3);
    let closed = all.send(1, vec![]);
    assert!(matches!(closed, Err(TrySendError::Closed(_))));
    let line = all.enter(1, host(1)).unwrap();
    for number in 0..WAITING {
        all.send(1, vec![number as u8]).unwrap();
    }
    assert!(matches!(all.send(1, vec![]), Err(TrySendError::Full(_))));
    let back = all.leave(line);
    assert_eq!((back.len(), back[5].as_slice()), (WAITING, &[5][..]));
}

/// Whoever comes again from the same port has the place; the former one takes nothing with it.
#[test]
fn a_successor_keeps_its_place() {
    let mut all = Lines::new(3, 3);
    let former = all.enter(1, host(1)).unwrap();
    let successor = all.enter(1, host(1)).unwrap();
    all.send(1, vec![7]).unwrap();
    assert!(all.leave(former).is_empty());
    assert_eq!(all.len(), 1);
    assert_eq!(all.leave(successor), [vec![7]]);
}

#[tokio::test(start_paused = true)]
async fn bytes_go_both_ways() {
    let mut all = Lines::new(3, 3);
    let mut line = all.enter(1, host(1)).unwrap();
    let (near, mut far) = duplex(1 << 16);
    all.send(1, b"out".to_vec()).unwrap();
    let mut came = Vec::new();
    let hear = |bytes: &[u8]| {
        came.extend_from_slice(bytes);
        Ok::<_, Infallible>(Heard {
            reply: b"!".to_vec(),
            patience: Duration::from_secs(1),
        })
    };
    let other = async {
        let mut buffer = [0; 4];
        far.write_all(b"in").await.unwrap();
        far.read_exact(&mut buffer).await.unwrap();
        // Silent for longer than it may be: the connection ends.
        let end = far.read(&mut buffer).await.unwrap();
        (buffer, end)
    };
    let carried = carry(near, &mut line, Duration::from_secs(60), hear);
    let (unsent, (buffer, end)) = tokio::join!(carried, other);
    assert!(matches!(&buffer, b"out!" | b"!out"), "{buffer:?}");
    assert_eq!((unsent, end), (None, 0));
    assert_eq!(came, b"in");
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_gone_and_the_message_comes_back() {
    let mut all = Lines::new(3, 3);
    let mut line = all.enter(1, host(1)).unwrap();
    let (near, _far) = duplex(16);
    all.send(1, vec![1; 17]).unwrap();
    all.send(1, vec![2]).unwrap();
    let hear = |_: &[u8]| Err::<Heard, _>("nothing came");
    let unsent = carry(near, &mut line, Duration::from_secs(60), hear).await;
    assert_eq!(unsent, Some(vec![1; 17]));
    assert_eq!(all.leave(line), [vec![2]]);
}
