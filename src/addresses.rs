//! Where the server listens: told to people on standard output, and to programs in a file of the data folder.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

/// Its name in the data folder.
pub const FILE: &str = "holdfast.addresses.json";

/// The addresses after binding, so with the ports that were picked.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// The HTTP listener.
    pub http: SocketAddr,
    /// The HTTPS listener.
    pub https: SocketAddr,
    /// The operators' listener.
    pub ops: SocketAddr,
    /// The one-time link that makes the first operator; null when there is one.
    pub setup_url: Option<String>,
    /// The process that serves.
    pub pid: u32,
}

impl Addresses {
    /// Writes `holdfast.addresses.json`, whole or not at all, readable by the owner only (it may hold the link).
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn publish(&self, data: &Path) -> io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let draft = data.join("holdfast.addresses.new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        fs::rename(draft, data.join(FILE))
    }

    /// Tells people where everything is.
    ///
    /// # Errors
    /// Standard output is gone.
    pub fn print(&self, data: &Path, base_domain: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let (http, https) = (self.http.port(), self.https.port());
        writeln!(out, "Holdfast {} is up.", env!("CARGO_PKG_VERSION"))?;
        writeln!(out)?;
        writeln!(
            out,
            "  Console    https://{base_domain}:{https}/console/  (or http://{base_domain}:{http}/console/)"
        )?;
        writeln!(out, "  REST       https://{base_domain}:{https}/api/v1   reference at /docs")?;
        writeln!(out, "  GraphQL    https://{base_domain}:{https}/graphql  explorer at /graphiql")?;
        writeln!(out, "  Operators  http://{}/healthz  /readyz  /metrics", self.ops)?;
        writeln!(out, "  Data       {}", data.display())?;
        writeln!(
            out,
            "  Local CA   {}  (trust it to be rid of the browser's warning)",
            data.join("tls/ca.pem").display()
        )?;
        if let Some(link) = &self.setup_url {
            writeln!(out)?;
            writeln!(out, "  Make the first operator with this link; it works once:")?;
            writeln!(out, "  {link}")?;
        }
        writeln!(out)?;
        out.flush()
    }
}
