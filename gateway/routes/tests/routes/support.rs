//! Tables out of JSON, and requests.

use edge_routes::{Compiled, Known, NormalPath, Problem, RequestView, RouteTable};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

pub(crate) fn known() -> Known {
    Known { pools: ["shop".to_owned()].into(), rate_limits: [("login".to_owned(), 5)].into() }
}

pub(crate) fn compile(routes: &Value) -> Result<Compiled, Vec<Problem>> {
    let table: RouteTable = serde_json::from_value(json!({ "routes": routes })).unwrap();
    table.compile(&known())
}

/// A request, owned.
pub(crate) struct Asked {
    pub(crate) host: String,
    pub(crate) path: NormalPath,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) client: std::net::IpAddr,
}

pub(crate) fn get(host: &str, path: &str) -> Asked {
    Asked {
        host: host.to_owned(),
        path: NormalPath::parse(path).unwrap(),
        method: Method::GET,
        headers: HeaderMap::new(),
        client: "192.0.2.1".parse().unwrap(),
    }
}

impl Asked {
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    pub(crate) fn view(&self) -> RequestView<'_> {
        RequestView {
            host: &self.host,
            path: &self.path,
            method: &self.method,
            headers: &self.headers,
            client: self.client,
        }
    }
}

pub(crate) fn found(table: &Compiled, asked: &Asked) -> Option<String> {
    table.find(&asked.view()).map(|found| found.route.route.id.clone())
}
