//! libusb: one context for all, and its hotplug, the second witness of USB, on a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use rusb::{Context, Device, Hotplug, HotplugBuilder, UsbContext};
use tokio::sync::Notify;

use super::watch::{Wish, Wishes};
use crate::sighting::Source;
use crate::trouble::Trouble;
use crate::watched;

/// The thread.
const NAME: &str = "usb-events";

/// Nothing is waited for by time: the thread wakes for hotplug and to stop. libusb counts milliseconds in an `int`.
const LONG: Duration = Duration::from_secs(24 * 3600);

/// The one context: another would list every device anew, which takes longer than asking one.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedContext(Arc<OnceLock<Context>>);

impl SharedContext {
    /// The context, made when it is first asked for.
    pub(crate) fn get(&self) -> Result<Context, rusb::Error> {
        if let Some(context) = self.0.get() {
            return Ok(context.clone());
        }
        // Whoever comes second uses the first one's.
        let made = Context::new()?;
        Ok(self.0.get_or_init(|| made).clone())
    }
}

/// The thread. Stops and is joined when dropped.
pub(crate) struct UsbWitness {
    context: Context,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl UsbWitness {
    /// Starts to tell of arrivals and departures. Its panic stops the `whole` watch, so that all of it is begun anew.
    ///
    /// # Errors
    /// When libusb cannot work here, as without /dev/bus/usb.
    pub(crate) fn start(context: &SharedContext, wishes: Wishes, whole: Arc<Notify>) -> Result<Self, Trouble> {
        let failed = |error: rusb::Error| Trouble::NoLibusb(error.into());
        let context = context.get().map_err(failed)?;
        let teller = Box::new(Teller { wishes: wishes.clone() });
        let registration = HotplugBuilder::new().register::<Context, _>(&context, teller).map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let run = {
            let (context, stop) = (context.clone(), Arc::clone(&stop));
            move || {
                let registration = registration;
                handle_events(&context, &stop, &wishes);
                drop(registration);
            }
        };
        let thread = watched::thread(NAME, run, move |_| whole.notify_one());
        let thread = thread.map_err(|error| Trouble::Unheard(error.into()))?;
        Ok(Self { context, stop, thread: Some(thread) })
    }
}

impl Drop for UsbWitness {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // libusb keeps the interruption until it next handles events, so none is missed.
        self.context.interrupt_handle_events();
        if let Some(thread) = self.thread.take() {
            // A panic there was its own end; there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}

fn handle_events(context: &Context, stop: &AtomicBool, wishes: &Wishes) {
    while !stop.load(Ordering::Acquire) {
        watched::perhaps_panic(NAME);
        match context.handle_events(Some(LONG)) {
            Ok(()) | Err(rusb::Error::Interrupted) => {}
            Err(error) => {
                return wishes.send(Wish::Trouble(Source::Libusb, Trouble::LibusbStopped(error.into())));
            }
        }
    }
}

struct Teller {
    wishes: Wishes,
}

impl Hotplug<Context> for Teller {
    fn device_arrived(&mut self, device: Device<Context>) {
        self.wishes.send(Wish::UsbArrived { bus: device.bus_number(), address: device.address() });
    }

    fn device_left(&mut self, device: Device<Context>) {
        self.wishes.send(Wish::UsbLeft { bus: device.bus_number(), address: device.address() });
    }
}
