//! `live`: how it is seen that a service still works. Validated now, acted on by a later version.

use super::{ExecProbe, FileProbe, GpsdProbe, HttpProbe, KismetProbe, TcpProbe};
use crate::read::{Anything, Either, Int, TimeSpan, section};

section! {
    /// How it is seen that a running service still works (acted on by a later version).
    struct LiveTable requires [] one_of ["tcp", "http", "exec", "file", "gpsd", "kismet", "watchdog", "fresh"] {
        /// It accepts a TCP connection.
        tcp: TcpProbe,
        /// It answers an HTTP GET with 2xx or 3xx.
        http: HttpProbe,
        /// A command exits with 0.
        exec: ExecProbe,
        /// A file exists.
        file: FileProbe,
        /// gpsd answers on its port and has a device.
        gpsd: GpsdProbe,
        /// Kismet answers on its port.
        kismet: KismetProbe,
        /// It says WATCHDOG=1 on NOTIFY_SOCKET (sd_notify).
        watchdog: Either<bool, Anything>,
        /// A file or a counter advances.
        fresh: Anything,
        /// Time between checks. Default "30s".
        interval: TimeSpan,
        /// A check without an answer for this long has failed. Default "5s".
        timeout: TimeSpan,
        /// This many failures in a row: unhealthy. Default 3.
        failures: Int<1, 1000>,
        /// This many successes in a row: healthy again. Default 2.
        successes: Int<1, 1000>,
    }
}
