//! The neural runtime (ONNX Runtime), opened from its library file at run time.

use std::path::Path;
use std::sync::OnceLock;

use ort::environment::Environment;

/// The runtime allows one environment in a process, ever: this is the one place that holds it.
static ENVIRONMENT: OnceLock<Result<Environment, String>> = OnceLock::new();

/// The process's environment; the first caller's library is the one that is opened.
pub(super) fn environment(library: &Path) -> Result<&'static Environment, String> {
    ENVIRONMENT.get_or_init(|| open(library)).as_ref().map_err(Clone::clone)
}

fn open(library: &Path) -> Result<Environment, String> {
    // A path that is not absolute would be looked for beside the program first.
    let library = std::path::absolute(library).map_err(|e| e.to_string())?;
    let builder = ort::init_from(library).map_err(|e| e.to_string())?;
    builder.with_name("holdfast").with_telemetry(false).build().map_err(|e| e.to_string())
}
