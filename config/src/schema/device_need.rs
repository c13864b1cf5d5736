//! What a service wants of a device: `devices = { gps = "exclusive" }`.

use crate::model::{OnReturn, Sharing, WifiMode};
use crate::read::{Either, Filled, Int, Time, TimeSpan, section};

/// `"exclusive"`, `"shared"`, or a table.
pub(crate) type DeviceNeed = Either<Sharing, DeviceTable>;

section! {
    /// What a service wants of a device.
    struct DeviceTable requires [] {
        /// "exclusive" (the default) or "shared".
        lease: Sharing,
        /// Wi-Fi: the mode the radio is put into while it is leased.
        mode: WifiMode,
        /// Wi-Fi: the channel it is put on (acted on by a later version).
        channel: Either<Int<1, 233>, Filled>,
        /// Among those who wait, higher is served first. Default 0.
        priority: Int<-1000, 1000>,
        /// Whether it takes the device from a holder of lower priority (acted on by a later version).
        preempt: bool,
        /// Whether the device may be taken from it (acted on by a later version).
        preemptible: bool,
        /// What it does when the device comes back while it runs (acted on by a later version).
        on_return: OnReturn,
        /// Whether it also runs without the device (acted on by a later version).
        optional: bool,
        /// Give up waiting for another holder after this long. Default: wait for ever.
        timeout: Time,
        /// Wi-Fi: take the radio even when it carries the default route, is an access point, or a login runs over it.
        takeover: bool,
        /// How fast its priority grows while it waits (acted on by a later version).
        ageing: TimeSpan,
    }
}
