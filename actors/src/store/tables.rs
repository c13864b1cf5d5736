//! What is written where.

use mainstay_config::names::{DeviceName, ServiceName};
use rusqlite::{Connection, Error, OptionalExtension, Transaction, params};

use super::database::Kind;
use crate::message::lasting::{Lasting, Remembered};
use crate::message::lease::Token;
use crate::message::service::Wanted;

/// What a word is on; the newest one counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Wanted(ServiceName),
    Tokens,
    Radio(DeviceName),
}

impl Subject {
    pub(super) fn of(lasting: &Lasting) -> Self {
        match lasting {
            Lasting::Wanted(service, _) => Self::Wanted(service.clone()),
            Lasting::TokensUpTo(_) => Self::Tokens,
            Lasting::Radio(device, _) | Lasting::RadioIsBack(device) => Self::Radio(device.clone()),
        }
    }

    /// In which database.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Wanted(_) | Self::Tokens => Kind::Lasting,
            Self::Radio(_) => Kind::Boot,
        }
    }
}

/// Writes one thing down.
pub(super) fn write(transaction: &Transaction<'_>, lasting: &Lasting) -> Result<(), Error> {
    match lasting {
        Lasting::Wanted(service, wanted) => transaction.execute(
            "INSERT OR REPLACE INTO wanted (service, wanted) VALUES (?1, ?2)",
            params![service.as_str(), wanted.as_str()],
        ),
        Lasting::TokensUpTo(Token(token)) => {
            let token = i64::try_from(*token).unwrap_or(i64::MAX);
            transaction.execute("DELETE FROM tokens WHERE up_to < ?1", [token])?;
            transaction.execute("INSERT INTO tokens (up_to) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM tokens)", [token])
        }
        Lasting::Radio(device, before) => {
            let before = serde_json::to_string(before).map_err(|error| Error::ToSqlConversionFailure(error.into()))?;
            let values = params![device.as_str(), before];
            transaction.execute("INSERT OR REPLACE INTO radio (device, before) VALUES (?1, ?2)", values)
        }
        Lasting::RadioIsBack(device) => transaction.execute("DELETE FROM radio WHERE device = ?1", [device.as_str()]),
    }?;
    Ok(())
}

/// Reads what is true for good. What cannot be understood is passed over.
pub(super) fn read_lasting(connection: &Connection, remembered: &mut Remembered) -> Result<(), Error> {
    let tokens: Option<i64> =
        connection.query_row("SELECT max(up_to) FROM tokens", [], |row| row.get(0)).optional()?.flatten();
    remembered.tokens = Token(tokens.and_then(|token| u64::try_from(token).ok()).unwrap_or(0));
    let mut rows = connection.prepare("SELECT service, wanted FROM wanted")?;
    let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for row in rows {
        let (service, wanted) = row?;
        if let (Ok(service), Some((_, wanted))) =
            (ServiceName::new(&service), Wanted::WORDS.iter().find(|(word, _)| *word == wanted))
        {
            remembered.wanted.insert(service, *wanted);
        }
    }
    Ok(())
}

/// What was written down in another boot is not true any more.
pub(super) fn forget_other_boots(transaction: &Transaction<'_>, boot: &str) -> Result<(), Error> {
    let of: Option<String> = transaction.query_row("SELECT id FROM boot", [], |row| row.get(0)).optional()?;
    if of.as_deref() != Some(boot) {
        transaction.execute_batch("DELETE FROM boot; DELETE FROM radio;")?;
        transaction.execute("INSERT INTO boot (id) VALUES (?1)", [boot])?;
    }
    Ok(())
}

/// Reads what is true until the next boot; of another boot, forgets it.
pub(super) fn read_boot(connection: &mut Connection, boot: &str, remembered: &mut Remembered) -> Result<(), Error> {
    let transaction = connection.transaction()?;
    forget_other_boots(&transaction, boot)?;
    transaction.commit()?;
    let mut rows = connection.prepare("SELECT device, before FROM radio")?;
    let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for row in rows {
        let (device, before) = row?;
        match (DeviceName::new(&device), serde_json::from_str(&before)) {
            (Ok(device), Ok(before)) => drop(remembered.radios.insert(device, before)),
            _ => tracing::warn!("how the radio {device} was before cannot be understood: it stays as it is"),
        }
    }
    Ok(())
}
