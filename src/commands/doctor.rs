//! `doctor`: checks what a server needs, and says how to mend what is wrong.

use std::fmt::Display;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use edge::LimitStore;
use kernel::{Db, Engine};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::cli::SettingsArgs;
use crate::commands::Failure;
use crate::config::Config;
use crate::data_folder::{DataFolder, DataFolderError};
use crate::house;
use crate::open_files;

/// What is found wrong.
struct Report {
    wrong: u32,
}

impl Report {
    fn note<T, E: Display>(&mut self, what: &str, outcome: Result<T, E>, good: impl FnOnce(&T) -> String) -> Option<T> {
        let (mark, text, value) = match outcome {
            Ok(value) => ("ok   ", good(&value), Some(value)),
            Err(error) => {
                self.wrong += 1;
                ("WRONG", error.to_string(), None)
            }
        };
        // Nobody reads it when standard output is gone.
        drop(writeln!(std::io::stdout(), "{mark} {what:<15}{text}"));
        value
    }
}

/// Runs all checks.
///
/// # Errors
/// Something is wrong; each finding was printed.
pub async fn run(args: &SettingsArgs) -> Result<(), Failure> {
    let mut report = Report { wrong: 0 };
    let config = report.note("settings", Config::load(args), |_| "all keys are known and fit".to_owned());
    if let Some(config) = config {
        check(&mut report, &config).await;
    }
    match report.wrong {
        0 => Ok(()),
        wrong => Err(Failure::Text(format!("{wrong} findings; mend them and run `holdfast doctor` again."))),
    }
}

async fn check(report: &mut Report, config: &Config) {
    report.note("clock", clock(), |now| format!("{now}"));
    let files = open_files::check(config.gateway.max_connections);
    report.note("open files", files, |most| format!("{most} may be open at once"));
    if config.edge.shared_limits.store != LimitStore::Database {
        report.note("shared limits", config.edge.shared_limits.check().await, |found| (*found).to_owned());
    }
    let folder = DataFolder::open(config.data());
    let running = matches!(folder, Err(DataFolderError::Taken(_)));
    if running {
        report.note("data folder", Ok::<_, String>(()), |()| {
            "in use by a running server; its ports are not tried".to_owned()
        });
    } else {
        let opened = report.note("data folder", folder, |folder| format!("{} is writable", folder.path().display()));
        for (name, address) in
            [("port http", config.server.http), ("port https", config.server.https), ("port ops", config.server.ops)]
        {
            report.note(name, port(address), |()| format!("{address} is free"));
        }
        if config.gateway.http3 {
            let address = config.server.https;
            report.note("port http/3", udp_port(address), |()| format!("{address} is free for UDP"));
        }
        if let Some(folder) = opened {
            database(report, config, &folder).await;
        }
    }
}

async fn database(report: &mut Report, config: &Config, folder: &DataFolder) {
    let Some(db) =
        report.note("database", house::open_database(config, folder).await, |db| db.engine().name().to_owned())
    else {
        return;
    };
    report.note("database role", db.refuse_bypassing_role().await, |()| "bound by row-level security".to_owned());
    let pending = migration::pending(migration::LEDGERS, &db.migration_connection()).await;
    report.note("schema", pending, |pending| match pending {
        0 => "up to date".to_owned(),
        pending => format!("{pending} steps pending; serve applies them, or run `holdfast migrate up`"),
    });
    report.note("database clock", skew(&db).await, |skew| {
        format!("{} ms apart from this machine", skew.num_milliseconds())
    });
    db.close().await;
}

/// A clock far off makes certificates and tokens fail.
fn clock() -> Result<DateTime<Utc>, String> {
    let now = kernel::Clock::default().now();
    let built = DateTime::UNIX_EPOCH + TimeDelta::days(20_500);
    if now > built { Ok(now) } else { Err(format!("{now} lies in the past; set the machine's clock (timedatectl).")) }
}

fn port(address: SocketAddr) -> Result<(), String> {
    let bound = TcpListener::bind(address);
    bound.map(drop).map_err(|error| {
        format!("{address} can't be used: {error}. Stop what uses it (ss -ltnp), or choose another with a flag.")
    })
}

fn udp_port(address: SocketAddr) -> Result<(), String> {
    UdpSocket::bind(address).map(drop).map_err(|error| {
        format!("{address} can't be used for UDP: {error}. Stop what uses it (ss -lnup), or set gateway.http3 = false.")
    })
}

/// How far the database's clock is from ours.
async fn skew(db: &Db) -> Result<TimeDelta, String> {
    if db.engine() == Engine::Sqlite {
        return Ok(TimeDelta::zero());
    }
    let statement = Statement::from_string(DbBackend::Postgres, "SELECT now() AS now");
    let asked = db.migration_connection();
    let row = tokio::time::timeout(Duration::from_secs(3), asked.query_one_raw(statement)).await;
    let row = row.map_err(|_| "the database did not answer in 3 s".to_owned())?.map_err(|error| error.to_string())?;
    let theirs: DateTime<Utc> =
        row.ok_or("no answer")?.try_get("", "now").map_err(|error: sea_orm::DbErr| error.to_string())?;
    let skew = db.clock().now() - theirs;
    if skew.abs() > TimeDelta::seconds(5) {
        return Err(format!(
            "the clocks are {} s apart; synchronise both machines (chrony, timesyncd).",
            skew.num_seconds()
        ));
    }
    Ok(skew)
}
