//! The redactors of the last sets of secrets. With a private key among them, making one takes longer than all else that
//! is done for a job; and the next job of a connection has the same set.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::redactor::Redactor;

/// Each connection in use has one or two, before and after it received a token.
const REMEMBERED: usize = 128;

/// The one used last is the first.
#[derive(Default)]
pub(super) struct Redactors(Mutex<VecDeque<(Vec<SecretString>, Redactor)>>);

impl Redactors {
    /// One for these secrets.
    pub(super) fn of(&self, secrets: &[SecretString]) -> Redactor {
        if let Some(known) = self.known(secrets) {
            return known;
        }
        // Made without the lock, so that nobody waits for it; another job may make the same.
        let redactor = Redactor::new(secrets);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_front((secrets.to_vec(), redactor.clone()));
        all.truncate(REMEMBERED);
        redactor
    }

    fn known(&self, secrets: &[SecretString]) -> Option<Redactor> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|(own, _)| are_equal(own, secrets))?;
        let entry = all.remove(place)?;
        let redactor = entry.1.clone();
        all.push_front(entry);
        Some(redactor)
    }
}

fn are_equal(one: &[SecretString], other: &[SecretString]) -> bool {
    let mut pairs = one.iter().zip(other);
    one.len() == other.len() && pairs.all(|(one, other)| one.expose_secret() == other.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_of_secrets_is_masked_with_its_own_and_only_the_last_are_kept() {
        let redactors = Redactors::default();
        let secrets = |number: usize| vec![SecretString::from(format!("secret-{number}."))];
        for number in (0..2 * REMEMBERED).chain([0, 0]) {
            let redactor = redactors.of(&secrets(number));
            assert_eq!(redactor.text(&format!("secret-{number}. secret-x.")), "*** secret-x.");
        }
        assert_eq!(redactors.of(&[]).text("secret-0."), "secret-0.");
        assert_eq!(redactors.0.lock().unwrap().len(), REMEMBERED);
        assert!(redactors.known(&secrets(0)).is_some() && redactors.known(&secrets(1)).is_none());
    }
}
