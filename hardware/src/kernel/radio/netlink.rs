//! Requests to the kernel about radios, each with a bound on the wait for its answer.
//!
//! The bound helps when an answer is lost. It does not help when the driver hangs: netlink requests run inside the
//! driver, in the thread that sends them. So these calls belong on threads that can be abandoned.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use futures::{StreamExt, TryStream, TryStreamExt};
use mainstay_config::model::WifiMode;
use mainstay_config::names::MacAddress;
use nl80211::packet_generic::GenlMessage;
use nl80211::{
    Nl80211Attr, Nl80211Channel, Nl80211ChannelWidth, Nl80211Error, Nl80211Handle, Nl80211Interface, Nl80211Message,
    Nl80211NewInterface,
};
use rtnetlink::packet_route::address::AddressAttribute;
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use rtnetlink::{LinkMessageBuilder, LinkUnspec};

use super::facts::{Interface, LinkFacts, mode_of, supported_mode, type_of};
use crate::error::{Attempt, Error, NetworkAttempt, SystemError};
use crate::sighting::Link;

/// Longest wait for one answer. Firmware takes up to about a second to change a mode.
const ANSWER: Duration = Duration::from_secs(5);
/// One radio is about 200 messages of a split dump; nobody has this many.
const MESSAGES: usize = 65_536;

/// A connection to nl80211 and one to rtnetlink.
pub(crate) struct Netlink {
    wifi: Nl80211Handle,
    route: rtnetlink::Handle,
}

/// Connects, runs `work` on this thread, and disconnects.
///
/// # Errors
/// Those of `work`, and when the kernel refuses the sockets.
pub(crate) fn talk<T>(work: impl AsyncFnOnce(&Netlink) -> Result<T, Error>) -> Result<T, Error> {
    let io = |e: std::io::Error| Attempt::Connect.failed(e);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
    runtime.block_on(async {
        let (wifi_connection, wifi, _) = nl80211::new_connection().map_err(io)?;
        let (route_connection, route, _) = rtnetlink::new_connection().map_err(io)?;
        let netlink = Netlink { wifi, route };
        // On this thread: a panic in one of them is a panic of whoever asks. When one has ended, its handle says so.
        let connections = async {
            tokio::join!(wifi_connection, route_connection);
            std::future::pending().await
        };
        tokio::select! {
            biased;
            done = work(&netlink) => done,
            never = connections => never,
        }
    })
}

impl Netlink {
    /// All interfaces of all radios.
    pub(crate) async fn interfaces(&self) -> Result<Vec<Interface>, Error> {
        let mut interfaces = Vec::new();
        let dump = self.wifi.interface().get(Vec::new()).execute();
        let each = |attributes: &[Nl80211Attr]| interfaces.extend(Interface::from_attributes(attributes));
        each_message(&NetworkAttempt::ListRadios, dump, each).await?;
        Ok(interfaces)
    }

    /// Modes that a radio can do.
    pub(crate) async fn supported(&self, wiphy: u32) -> Result<Vec<WifiMode>, Error> {
        let mut modes = Vec::new();
        let dump = self.wifi.wireless_physic().get().wiphy_index(wiphy).execute();
        let each = |attributes: &[Nl80211Attr]| {
            if attributes.contains(&Nl80211Attr::Wiphy(wiphy)) {
                modes.extend(attributes.iter().flat_map(modes_of));
            }
        };
        each_message(&NetworkAttempt::ListModes, dump, each).await?;
        modes.sort_unstable();
        modes.dedup();
        Ok(modes)
    }

    /// All network interfaces, by index.
    pub(crate) async fn links(&self) -> Result<BTreeMap<u32, LinkFacts>, Error> {
        let tried = &NetworkAttempt::ListLinks;
        let dump = self.route.link().get().execute().take(MESSAGES);
        let links: Vec<LinkMessage> =
            answered(tried, async { dump.try_collect().await.map_err(|e| route_error(tried, &e)) }).await?;
        Ok(links.iter().map(|link| (link.header.index, link_facts(link))).collect())
    }

    /// The addresses of an interface.
    pub(crate) async fn addresses(&self, ifindex: u32) -> Result<Vec<IpAddr>, Error> {
        let tried = &NetworkAttempt::ListAddresses;
        let dump = self.route.address().get().set_link_index_filter(ifindex).execute().take(MESSAGES);
        let collected = async { dump.try_collect::<Vec<_>>().await.map_err(|e| route_error(tried, &e)) };
        let messages = answered(tried, collected).await?;
        let address = |attribute: &AddressAttribute| match attribute {
            AddressAttribute::Local(address) | AddressAttribute::Address(address) => Some(*address),
            _ => None,
        };
        Ok(messages.iter().flat_map(|m| m.attributes.iter().filter_map(address)).collect())
    }

    /// Changes the mode of an interface that is down.
    pub(crate) async fn set_mode(&self, ifindex: u32, mode: WifiMode, tried: &NetworkAttempt) -> Result<(), Error> {
        let kind = type_of(mode).ok_or_else(|| Error::NoSuchMode(tried.clone().into()))?;
        let attributes = Nl80211Interface::new(ifindex).interface_type(kind).build();
        let request = self.wifi.interface().set(attributes).execute();
        each_message(tried, request, |_| ()).await
    }

    /// Tunes an interface in monitor mode that is up, 20 MHz wide.
    pub(crate) async fn set_frequency(&self, ifindex: u32, mhz: u32, tried: &NetworkAttempt) -> Result<(), Error> {
        let attributes = Nl80211Channel::new(ifindex)
            .frequency(mhz)
            .channel_width(Nl80211ChannelWidth::NoHt20)
            .center_frequency(mhz)
            .build();
        let request = self.wifi.wireless_physic().set(attributes).execute();
        each_message(tried, request, |_| ()).await
    }

    /// Makes an interface on a radio.
    pub(crate) async fn add(
        &self,
        wiphy: u32,
        mode: WifiMode,
        name: &str,
        tried: &NetworkAttempt,
    ) -> Result<(), Error> {
        let kind = type_of(mode).ok_or_else(|| Error::NoSuchMode(tried.clone().into()))?;
        let attributes = Nl80211NewInterface::new(wiphy, kind, name.to_owned()).build();
        let request = self.wifi.interface().add(attributes).execute();
        each_message(tried, request, |_| ()).await
    }

    /// Deletes an interface of a radio.
    pub(crate) async fn delete(&self, ifindex: u32, tried: &NetworkAttempt) -> Result<(), Error> {
        let request = self.wifi.interface().delete(Nl80211Interface::new(ifindex).build()).execute();
        each_message(tried, request, |_| ()).await
    }

    /// Takes an interface up or down.
    pub(crate) async fn set_link(&self, ifindex: u32, link: Link, tried: &NetworkAttempt) -> Result<(), Error> {
        let builder = LinkMessageBuilder::<LinkUnspec>::default().index(ifindex);
        let message = match link {
            Link::Up => builder.up(),
            Link::Down => builder.down(),
        };
        self.change_link(message.build(), tried).await
    }

    /// Changes the address of an interface that is down.
    pub(crate) async fn set_mac(&self, ifindex: u32, mac: MacAddress, tried: &NetworkAttempt) -> Result<(), Error> {
        let builder = LinkMessageBuilder::<LinkUnspec>::default().index(ifindex);
        self.change_link(builder.address(mac.0.to_vec()).build(), tried).await
    }

    /// Renames an interface that is down.
    pub(crate) async fn rename(&self, ifindex: u32, name: &str, tried: &NetworkAttempt) -> Result<(), Error> {
        let builder = LinkMessageBuilder::<LinkUnspec>::default().index(ifindex);
        self.change_link(builder.name(name).build(), tried).await
    }

    async fn change_link(&self, message: LinkMessage, tried: &NetworkAttempt) -> Result<(), Error> {
        let request = self.route.link().set(message).execute();
        answered(tried, async { request.await.map_err(|e| route_error(tried, &e)) }).await
    }
}

async fn answered<T>(tried: &NetworkAttempt, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let unanswered = |_| Err(Error::Unanswered(tried.clone().into(), ANSWER));
    tokio::time::timeout(ANSWER, work).await.unwrap_or_else(unanswered)
}

/// Hands out the messages of an answer one by one. One that cannot be decoded (a newer kernel says more than this
/// program knows) is left out; the others are of use all the same.
async fn each_message<S>(
    tried: &NetworkAttempt,
    request: impl Future<Output = S>,
    mut each: impl FnMut(&[Nl80211Attr]),
) -> Result<(), Error>
where
    S: TryStream<Ok = GenlMessage<Nl80211Message>, Error = Nl80211Error>,
{
    answered(tried, async {
        let mut answer = std::pin::pin!(request.await.into_stream());
        for _ in 0..MESSAGES {
            match answer.try_next().await {
                Ok(None) => break,
                Ok(Some(message)) => each(&message.payload.attributes),
                Err(Nl80211Error::NetlinkError(refusal)) => {
                    return Err(Attempt::from(tried.clone()).failed(refusal.to_io()));
                }
                Err(Nl80211Error::RequestFailed(_)) => return Err(Error::NoWifi(tried.clone().into())),
                Err(undecodable) => tracing::debug!(%tried, error = %undecodable, "a message was left out"),
            }
        }
        Ok(())
    })
    .await
}

fn modes_of(attribute: &Nl80211Attr) -> Vec<WifiMode> {
    match attribute {
        Nl80211Attr::SupportedIftypes(types) => types.iter().filter_map(|kind| supported_mode(*kind)).collect(),
        _ => Vec::new(),
    }
}

fn route_error(tried: &NetworkAttempt, error: &rtnetlink::Error) -> Error {
    Attempt::from(tried.clone()).failed(match error {
        rtnetlink::Error::NetlinkError(refusal) => SystemError::from(refusal.to_io()),
        other => SystemError::Words(other.to_string().into()),
    })
}

fn link_facts(link: &LinkMessage) -> LinkFacts {
    let mut facts = LinkFacts { link: Link::Down, mac: None, permanent: None };
    if link.header.flags.contains(LinkFlags::Up) {
        facts.link = Link::Up;
    }
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::Address(bytes) => facts.mac = mac(bytes),
            LinkAttribute::PermAddress(bytes) => facts.permanent = mac(bytes),
            _ => {}
        }
    }
    facts
}

fn mac(bytes: &[u8]) -> Option<MacAddress> {
    bytes.try_into().ok().map(MacAddress)
}

impl Interface {
    fn from_attributes(attributes: &[Nl80211Attr]) -> Option<Self> {
        let (mut wiphy, mut ifindex, mut name, mut mode, mut frequency_mhz) = (None, None, None, WifiMode::Other, None);
        for attribute in attributes {
            match attribute {
                Nl80211Attr::Wiphy(number) => wiphy = Some(*number),
                Nl80211Attr::IfIndex(number) => ifindex = Some(*number),
                Nl80211Attr::IfName(text) => name = Some(text.clone()),
                Nl80211Attr::IfType(kind) => mode = mode_of(*kind),
                Nl80211Attr::WiphyFreq(mhz) => frequency_mhz = Some(*mhz),
                _ => {}
            }
        }
        // A P2P device has no network interface, and so no index.
        Some(Self { wiphy: wiphy?, ifindex: ifindex?, name: name?, mode, frequency_mhz })
    }
}
