//! A HackRF One that answers its vendor requests (host/libhackrf/src/hackrf.c in the HackRF's sources).

use std::any::Any;
use std::io;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use usbip::{
    EndpointAttributes, SetupPacket, UsbDevice, UsbDeviceHandler, UsbEndpoint, UsbInterface, UsbInterfaceHandler,
};

use super::usbip::{Plugged, Port, plug};

/// The version its firmware reports.
pub(crate) const FIRMWARE: &str = "2022.09.1";
/// What `hackrf_info` calls board id 2 (with the same words as mainstay's, up to "HackRF One").
pub(crate) const BOARD: &str = "HackRF One";

/// Serial number words as the chip stores them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Serial(pub(crate) [u32; 4]);

impl Serial {
    /// As the USB descriptor shows it: 32 hexadecimal digits.
    pub(crate) fn digits(self) -> String {
        self.0.iter().map(|word| format!("{word:08x}")).collect()
    }
}

/// The serial number of the HackRF in most scenarios.
pub(crate) const SERIAL: Serial = Serial([0, 0, 0x88c8_69dc, 0x2b5c_8d1b]);

/// Plugs a HackRF into a port.
pub(crate) fn plug_hackrf(serial: Serial, port: Port) -> Result<Plugged> {
    let interface: Box<dyn UsbInterfaceHandler + Send> = Box::new(Transceiver);
    let board: Box<dyn UsbDeviceHandler + Send> = Box::new(Board { serial });
    let mut device = UsbDevice::new(1)
        .with_interface(0xff, 0xff, 0xff, None, endpoints(), Arc::new(Mutex::new(interface)))
        .with_device_handler(Arc::new(Mutex::new(board)));
    device.vendor_id = 0x1d50;
    device.product_id = 0x6089;
    device.usb_version.major = 2;
    // For a HackRF bcdDevice is the version of its USB interface: from 1.06 on it tells its revision too.
    device.device_bcd.major = 1;
    device.device_bcd.minor = 6;
    device.set_manufacturer_name("Great Scott Gadgets");
    device.set_product_name("HackRF One");
    device.set_serial_number(&serial.digits());
    plug(device, port)
}

fn endpoints() -> Vec<UsbEndpoint> {
    let bulk = EndpointAttributes::Bulk as u8;
    vec![
        UsbEndpoint { address: 0x81, attributes: bulk, max_packet_size: 512, interval: 0 },
        UsbEndpoint { address: 0x02, attributes: bulk, max_packet_size: 512, interval: 0 },
    ]
}

/// The part that answers control requests.
#[derive(Debug)]
struct Board {
    serial: Serial,
}

impl UsbDeviceHandler for Board {
    fn handle_urb(&mut self, length: u32, setup: SetupPacket, _data: &[u8]) -> io::Result<Vec<u8>> {
        let mut answer = match (setup.request_type, setup.request) {
            // GET_STATUS: bus powered, no remote wake-up. GET_CONFIGURATION: the only one.
            (0x80, 0) => vec![0, 0],
            (0x80, 8) => vec![1],
            // BOARD_ID_READ: HackRF One. VERSION_STRING_READ. BOARD_REV_READ: r9, made by Great Scott Gadgets.
            (0xc0, 14) => vec![2],
            (0xc0, 15) => FIRMWARE.as_bytes().to_vec(),
            (0xc0, 45) => vec![0x84],
            // SUPPORTED_PLATFORM_READ: HackRF One, up to r8 and from r9 on.
            (0xc0, 46) => vec![0, 0, 0, 0x0a],
            // BOARD_PARTID_SERIALNO_READ.
            (0xc0, 18) => [0xa000_cb3c, 0x0066_4f5e]
                .iter()
                .chain(&self.serial.0)
                .flat_map(|word: &u32| word.to_le_bytes())
                .collect(),
            // OPERACAKE_GET_BOARDS: no antenna switches.
            (0xc0, 27) => vec![0xff; 8],
            // GET_M0_STATE: idle.
            (0xc0, 41) => vec![0; 40],
            // Everything the host tells it, such as SET_TRANSCEIVER_MODE or CLEAR_FEATURE.
            (0x00 | 0x02 | 0x40, _) => Vec::new(),
            (kind, request) => {
                return Err(io::Error::other(format!("a HackRF knows no request {request} of type {kind:#04x}")));
            }
        };
        answer.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(answer)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// The part with the bulk endpoints. It never has samples: nothing in the lab listens to the radio.
#[derive(Debug)]
struct Transceiver;

impl UsbInterfaceHandler for Transceiver {
    fn get_class_specific_descriptor(&self) -> Vec<u8> {
        Vec::new()
    }

    fn handle_urb(
        &mut self,
        _interface: &UsbInterface,
        endpoint: UsbEndpoint,
        _length: u32,
        _setup: SetupPacket,
        _data: &[u8],
    ) -> io::Result<Vec<u8>> {
        if endpoint.is_ep0() { Ok(Vec::new()) } else { Err(io::Error::other("there are no samples")) }
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
