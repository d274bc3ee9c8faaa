//! The PROXY protocol, versions 1 and 2: a load balancer in front says who the client is, before the first byte of TLS or
//! HTTP (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).

use std::{io, net::SocketAddr};

use ppp::{HeaderResult, v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt};

/// What both versions have at least, and what tells them apart.
const MARK: usize = 12;
/// The longest header of version 1, and what we take of version 2 with its extensions.
const LONGEST: usize = 107;
const LONGEST_BINARY: usize = 2048;

/// Who is connected to whom, as the load balancer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) client: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// Reads the header and not a byte more. None: the load balancer speaks for itself (`LOCAL`, `UNKNOWN`), as in its own
/// health checks.
pub(crate) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<Addresses>> {
    let mut head = vec![0; MARK];
    stream.read_exact(&mut head).await?;
    if head == *v2::PROTOCOL_PREFIX {
        read_binary(stream, &mut head).await?;
    } else {
        read_text(stream, &mut head).await?;
    }
    addresses(&head)
}

async fn read_binary<S: AsyncRead + Unpin>(stream: &mut S, head: &mut Vec<u8>) -> io::Result<()> {
    let mut rest = [0; 4];
    stream.read_exact(&mut rest).await?;
    let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
    if length > LONGEST_BINARY {
        return Err(malformed());
    }
    head.extend_from_slice(&rest);
    head.resize(MARK + 4 + length, 0);
    stream.read_exact(&mut head[MARK + 4..]).await.map(drop)
}

/// Byte by byte, since what follows the line belongs to another protocol.
async fn read_text<S: AsyncRead + Unpin>(stream: &mut S, head: &mut Vec<u8>) -> io::Result<()> {
    if !head.starts_with(b"PROXY ") {
        return Err(malformed());
    }
    while !head.ends_with(b"\r\n") {
        if head.len() == LONGEST {
            return Err(malformed());
        }
        head.push(stream.read_u8().await?);
    }
    Ok(())
}

fn addresses(head: &[u8]) -> io::Result<Option<Addresses>> {
    let both = |client: (std::net::IpAddr, u16), local: (std::net::IpAddr, u16)| {
        Some(Addresses { client: client.into(), local: local.into() })
    };
    match HeaderResult::parse(head) {
        HeaderResult::V1(Ok(header)) => Ok(match header.addresses {
            v1::Addresses::Tcp4(it) => {
                both((it.source_address.into(), it.source_port), (it.destination_address.into(), it.destination_port))
            }
            v1::Addresses::Tcp6(it) => {
                both((it.source_address.into(), it.source_port), (it.destination_address.into(), it.destination_port))
            }
            v1::Addresses::Unknown => None,
        }),
        HeaderResult::V2(Ok(header)) if header.command == v2::Command::Local => Ok(None),
        HeaderResult::V2(Ok(header)) => Ok(match header.addresses {
            v2::Addresses::IPv4(it) => {
                both((it.source_address.into(), it.source_port), (it.destination_address.into(), it.destination_port))
            }
            v2::Addresses::IPv6(it) => {
                both((it.source_address.into(), it.source_port), (it.destination_address.into(), it.destination_port))
            }
            v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
        }),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(malformed()),
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no PROXY protocol header")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_from(bytes: &[u8]) -> (io::Result<Option<Addresses>>, Vec<u8>) {
        let mut stream = bytes;
        let found = read(&mut stream).await;
        (found, stream.to_vec())
    }

    fn between(client: &str, local: &str) -> Addresses {
        Addresses { client: client.parse().unwrap(), local: local.parse().unwrap() }
    }

    #[tokio::test]
    async fn both_versions_are_read_to_their_last_byte() {
        let cases: [(&[u8], _); 5] = [
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 1111 443\r\n", Some(between("192.0.2.1:1111", "192.0.2.2:443"))),
            (
                b"PROXY TCP6 2001:db8::1 2001:db8::2 1111 443\r\n",
                Some(between("[2001:db8::1]:1111", "[2001:db8::2]:443")),
            ),
            (b"PROXY UNKNOWN\r\n", None),
            (
                b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x04\x57\x01\xbb",
                Some(between("192.0.2.1:1111", "192.0.2.2:443")),
            ),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", None),
        ];
        for (header, expected) in cases {
            let (found, rest) = read_from(&[header, b"GET /"].concat()).await;
            assert_eq!(found.unwrap(), expected, "{header:?}");
            assert_eq!(rest, b"GET /", "{header:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        let long = [b"PROXY ".as_slice(), &[b'x'; 200]].concat();
        let huge = [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff".as_slice(), &[0; 100]].concat();
        let cases: [&[u8]; 6] = [
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"PROXY TCP4 nobody 192.0.2.2 1 2\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 99999 2\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x04\x57\x01\xbb",
            &long,
            &huge,
        ];
        for bytes in cases {
            assert!(read_from(bytes).await.0.is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
