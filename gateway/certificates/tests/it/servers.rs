//! Servers of others, private to a test: started on free ports, stopped with it.

use std::{
    net::{TcpListener, UdpSocket},
    path::Path,
    process::Stdio,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

/// A port that is free for TCP and UDP now.
pub(crate) fn free_port() -> u16 {
    for _ in 0..100 {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

/// Starts a program of a Debian package; it is killed when the child is dropped.
pub(crate) fn start(program: &str, package: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
    let mut command = Command::new(find(program, package));
    command.args(arguments).envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().unwrap_or_else(|error| panic!("{program} does not start: {error}"))
}

fn find(program: &str, package: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(program)).find(|path| Path::is_file(path));
    found.unwrap_or_else(|| panic!("{program} is missing: install the Debian package {package}"))
}

/// Waits until something listens there.
pub(crate) async fn listens(port: u16) {
    let connected = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), connected).await.expect("the server listens in time");
}
