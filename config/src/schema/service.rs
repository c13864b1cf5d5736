//! `[services.NAME]`.

use std::net::IpAddr;

use super::unit::{ContainerTable, ExternalTable, SystemdTable};
use super::{DeviceNeed, LiveTable, ReadyValue};
use crate::model::{OnReturn, RestartWhen, StopSignal, StopTo};
use crate::names::{DeviceName, PortName, ServiceName};
use crate::read::{
    AbsolutePath, Anything, Argv, At, Boxed, Either, EnvironmentName, Factor, Filled, Int, Map, Port, PortRange, Text,
    Time, TimeSpan, section,
};

/// `requires`: a list of names, or a table with more about each.
pub(crate) type RequiredList = Either<Vec<At<Text>>, Map<ServiceName, RequiredTable>>;

/// `wants`: a list of names, or a table with more about each.
pub(crate) type OptionalList = Either<Vec<At<Text>>, Map<ServiceName, OptionalTable>>;

/// A port number, or a table.
pub(crate) type PortValue = Either<Port, PortTable>;

section! {
    /// One service: exactly one of `command`, `oneshot`, `systemd`, `container`, `external`, and what it needs.
    struct ServiceTable requires [] one_of ["command", "oneshot", "systemd", "container", "external"] {
        /// A program that keeps running: the program and its arguments. Templates such as {device.gps.path},
        /// {device.wlan2.interface}, {device.hackrf.serial} and {port.web} are filled in; {{ and }} are braces.
        command: Argv,
        /// A program that does something and ends (acted on by a later version).
        oneshot: Argv,
        /// A systemd unit (acted on by a later version).
        systemd: Boxed<SystemdTable>,
        /// A container (acted on by a later version).
        container: Boxed<ContainerTable>,
        /// Something that runs elsewhere (acted on by a later version).
        external: Boxed<ExternalTable>,
        /// Added to the environment; templates are filled in.
        environment: Map<EnvironmentName, Text>,
        /// Variables of mainstay's own environment that it is given as well, such as "LANG". Nothing else of it reaches a service.
        environment_from: Vec<At<EnvironmentName>>,
        /// User to run as; needs root.
        user: Filled,
        /// Group to run as. Default: the user's own.
        group: Filled,
        /// Working directory. Default "/".
        directory: AbsolutePath,
        /// Whether it starts by itself. Default true.
        autostart: bool,
        /// Whether it decides if the station is ready (acted on by a later version).
        critical: bool,
        /// Devices it leases: "exclusive", "shared", or a table.
        devices: Map<DeviceName, DeviceNeed>,
        /// Ports it listens on: a number, or a range to choose from.
        ports: Map<PortName, PortValue>,
        /// Files it must have to itself.
        files: Vec<At<AbsolutePath>>,
        /// Other things it must have to itself, by names of your choice.
        custom: Vec<At<Text>>,
        /// Services it cannot run without: a list, or a table with more about each.
        requires: RequiredList,
        /// Services it uses when they are there: a list, or a table with more about each.
        wants: OptionalList,
        /// Services it starts after, and nothing else.
        after: Vec<At<Text>>,
        /// Services it must never run beside.
        conflicts: Vec<At<Text>>,
        /// Service that runs when this one has failed (acted on by a later version).
        fallback: Text,
        /// When it counts as ready. Default "process".
        ready: ReadyValue,
        /// How it is seen that it still works (acted on by a later version).
        live: Boxed<LiveTable>,
        /// What happens when it ends by itself.
        restart: RestartTable,
        /// What is tried for which failure (acted on by a later version).
        recovery: Anything,
        /// When restarting is given up for a while (acted on by a later version).
        breaker: Anything,
        /// How it is stopped.
        stop: StopTable,
    }
}

section! {
    /// More about a required service.
    struct RequiredTable requires [] {
        /// How long it is waited for before that is said; the wait goes on.
        timeout: Time,
        /// How long it may be down before this service is stopped; "0s" is at once.
        lost_after: Time,
    }
}

section! {
    /// More about an optional service.
    struct OptionalTable requires [] {
        /// How long it is waited for, if it is coming.
        timeout: Time,
        /// Whether this service is restarted when the other comes back: "keep" (the default) or "restart".
        on_return: OnReturn,
    }
}

section! {
    /// A port that a service listens on: `fixed`, or `range` with or without `prefer`; with `address`, on that one.
    struct PortTable requires [] one_of ["fixed", "range"] {
        /// This port and no other.
        fixed: Port,
        /// Tried first; it may lie outside the range. Default: the first of the range.
        prefer: Port,
        /// Ports to choose from, such as "8000-8010".
        range: PortRange,
        /// The address it listens on, such as "127.0.0.1": a foreign program on another is not in the way. Default: all.
        address: IpAddr,
    }
}

section! {
    /// What happens when a service ends by itself.
    struct RestartTable requires [] {
        /// "always" (the default), "failure" (a non-zero exit code or a signal), or "never".
        when: RestartWhen,
        /// How many restarts before it has failed. Default 3.
        attempts: Int<0, 1000>,
        /// Wait before the first restart. Default "2s".
        backoff: Time,
        /// Each further wait is this many times longer. Default 2.0.
        factor: Factor,
        /// Ready for this long, it counts anew. Default "60s".
        reset_after: TimeSpan,
        /// Strategy of recovery (acted on by a later version).
        strategy: Filled,
    }
}

section! {
    /// How a service is stopped.
    struct StopTable requires [] {
        /// The first signal: "TERM" (the default), "INT", "HUP", "QUIT", "USR1", "USR2", "KILL".
        signal: StopSignal,
        /// Who gets it: "all" (the default), every process; or "main", the main process, and the others when it has ended or the
        /// grace is over; these then have up to 2 s.
        to: StopTo,
        /// Command that stops it instead of a signal (acted on by a later version).
        command: Argv,
        /// After this long the whole process tree is killed. Default "30s".
        grace: Time,
    }
}
