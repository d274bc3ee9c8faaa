//! `routes`: judges a file of routes without a server.

use std::io::Write;
use std::path::PathBuf;

use gateway::{Ask, NamedLimit, RoutesFile};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::cli::{ExplainArgs, RoutesAction, RoutesArgs, SettingsArgs};
use crate::commands::Failure;
use crate::config::Config;

/// Checks a file, or explains what it does with a request.
///
/// # Errors
/// Everything that is wrong with the file or with the question.
pub fn run(args: &RoutesArgs) -> Result<(), Failure> {
    match &args.action {
        RoutesAction::Check(args) => {
            let read = RoutesFile::read(&args.file)?;
            let (routes, pools) = read.size();
            read.check(&limits(args.config.as_ref())?)?;
            print(&format!("The file is good: routes {routes}, pools {pools}."))
        }
        RoutesAction::Explain(args) => explain(args),
    }
}

/// The limits that routes may name.
fn limits(config: Option<&PathBuf>) -> Result<Vec<NamedLimit>, Failure> {
    let args = SettingsArgs { config: config.cloned(), ..SettingsArgs::default() };
    Ok(Config::load(&args)?.gateway.limits)
}

/// Each route with its reason, then what the chosen one does.
fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    let explanation = RoutesFile::read(&args.file)?.explain(&ask(args)?, &limits(args.config.as_ref())?)?;
    for candidate in &explanation.candidates {
        let why = match &candidate.unmet {
            _ if candidate.chosen => "takes the request".to_owned(),
            Some(unmet) => format!("does not match: {}", word(unmet)?),
            None => "matches, but comes later".to_owned(),
        };
        print(&format!("{}: {why}", candidate.id))?;
    }
    match &explanation.outcome {
        Some(outcome) => print(&serde_json::to_string_pretty(outcome).map_err(std::io::Error::from)?),
        None => print("No route takes the request; it goes to Holdfast itself."),
    }
}

fn ask(args: &ExplainArgs) -> Result<Ask, Failure> {
    let mut headers = HeaderMap::new();
    for line in &args.headers {
        let pair = line.split_once(':').and_then(|(name, value)| {
            Some((HeaderName::try_from(name.trim()).ok()?, HeaderValue::try_from(value.trim()).ok()?))
        });
        let wrong = || Failure::Text(format!("{line:?} is no header; write it as 'Name: value'."));
        let (name, value) = pair.ok_or_else(wrong)?;
        headers.append(name, value);
    }
    let (method, host) = (args.method.clone(), args.host.clone());
    Ok(Ask { method, host, target: args.path.clone(), headers, client: args.client })
}

/// The name of a condition, as the file has it, and of the header that it is about.
fn word(unmet: &impl serde::Serialize) -> Result<String, Failure> {
    let value = serde_json::to_value(unmet).map_err(std::io::Error::from)?;
    let words = [&value["condition"], &value["detail"]].map(|word| word.as_str().unwrap_or_default());
    Ok(words.join(" ").trim_end().to_owned())
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
