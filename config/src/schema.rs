//! What a file may say. Every key is optional here and carries its place; what follows from it is decided in `lower`.
//!
//! The comments are the descriptions in the JSON Schema (`mainstay check --schema`): they are written for users.

mod device_need;
mod excludes;
mod hardware;
#[expect(dead_code, reason = "validated now; a later version reads all of it")]
mod live;
mod probe;
mod service;
#[expect(dead_code, reason = "validated now; a later version reads it")]
mod unit;
mod words;

use std::net::SocketAddr;

use crate::names::{DeviceName, ServiceName};
use crate::read::{AbsolutePath, Boxed, Int, Map, Size, Time, TimeSpan, Wholly, section};

pub(crate) use device_need::{DeviceNeed, DeviceTable};
pub(crate) use excludes::add_to as add_excludes;
pub(crate) use hardware::{FlapTable, HardwareTable, MatchTable};
pub(crate) use live::LiveTable;
pub(crate) use probe::{
    Bare, ExecProbe, FileProbe, GpsdProbe, HttpProbe, KismetProbe, LogProbe, PortRef, ReadyTable, ReadyValue,
    ReadyWord, TcpProbe,
};
pub(crate) use service::{PortTable, RestartTable, ServiceTable, StopTable};

section! {
    /// A mainstay configuration: one station, its hardware and its services.
    struct File requires [] {
        /// Where mainstay keeps things, and how much it does at once.
        runtime: RuntimeTable,
        /// The HTTP interface (acted on by a later version).
        api: ApiTable,
        /// How the output of services is kept.
        logs: LogsTable,
        /// What holds for every service that does not say otherwise.
        defaults: DefaultsTable,
        /// The devices, by a name of your choice.
        hardware: Map<DeviceName, Wholly<HardwareTable>>,
        /// The services, by a name of your choice.
        services: Map<ServiceName, Boxed<ServiceTable>>,
    }
}

section! {
    /// Where mainstay keeps things, and how much it does at once.
    struct RuntimeTable requires [] {
        /// Directory for what must last across boots.
        state_dir: AbsolutePath,
        /// Directory for what is true for this boot: socket, lock, notify sockets.
        run_dir: AbsolutePath,
        /// How many services may be between their start and ready at the same time. Default 3.
        max_parallel_starts: Int<1, 64>,
    }
}

section! {
    /// The HTTP interface (acted on by a later version).
    struct ApiTable requires [] {
        /// Address and port to listen on. Default "127.0.0.1:8092".
        listen: SocketAddr,
    }
}

section! {
    /// How the output of services is kept.
    struct LogsTable requires [] {
        /// A log file is rotated at this size: "10MB" (the default), "512KiB", or a number of bytes.
        max_size: Size,
        /// How many rotated files are kept beside the current one. Default 5.
        keep: Int<0, 100>,
    }
}

section! {
    /// What holds for every service that does not say otherwise.
    struct DefaultsTable requires [] {
        /// How long a service waits for one it depends on before it says so. Default "60s".
        dependency_timeout: Time,
        /// A service that is not ready by then has failed to start. Default "90s".
        ready_within: TimeSpan,
        /// How long a required service may be down before its dependents are stopped. Default "15s"; "0s" is at once.
        lost_after: Time,
        /// How long a service has between the stop signal and SIGKILL. Default "30s".
        stop_grace: Time,
    }
}
