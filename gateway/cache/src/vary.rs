//! The request headers by which an answer was chosen (RFC 9111, section 4.1), compared in a normal form.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};

use crate::policy::Policy;

/// The most header names in a `Vary` that we keep apart.
const MOST_NAMES: usize = 8;
/// The longest normal value of one.
const LONGEST_VALUE: usize = 2048;

/// Names and normal values of the request headers by which one answer was chosen, sorted by name. `None`: absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Selection(Vec<(String, Option<String>)>);

impl Selection {
    /// What an answer with these headers was chosen by, given its request. `None` where it can't be told or may not
    /// be: `Vary: *`, more names than we keep, a name that the policy does not allow, an overlong value.
    pub(crate) fn of_answer(policy: &Policy, request: &HeaderMap, answer: &HeaderMap) -> Option<Self> {
        let mut names = Vec::new();
        for line in answer.get_all(header::VARY) {
            for name in line.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let name = HeaderName::try_from(name).ok().filter(|_| name != "*")?;
                let allowed = policy.vary_allowed.as_ref().is_none_or(|allowed| allowed.contains(&name));
                if !allowed || (names.len() >= MOST_NAMES && !names.contains(&name)) {
                    return None;
                }
                names.push(name);
            }
        }
        let selection = Self::by(&names, request);
        let bounded = |value: &Option<String>| value.as_ref().is_none_or(|value| value.len() <= LONGEST_VALUE);
        selection.0.iter().all(|(_, value)| bounded(value)).then_some(selection)
    }

    /// What a request selects by these names.
    pub(crate) fn by(names: &[HeaderName], request: &HeaderMap) -> Self {
        let mut pairs: Vec<_> =
            names.iter().map(|name| (name.as_str().to_owned(), normal_value(name, request))).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Self(pairs)
    }

    /// Whether a request selects the same answer.
    pub(crate) fn matches(&self, request: &HeaderMap) -> bool {
        let named = |name: &str| HeaderName::try_from(name).ok();
        self.0.iter().all(|(name, value)| named(name).is_some_and(|name| normal_value(&name, request) == *value))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = HeaderName> {
        self.0.iter().filter_map(|(name, _)| HeaderName::try_from(name.as_str()).ok())
    }

    /// The bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.as_ref().map_or(0, String::len) + 64).sum()
    }
}

/// The value of a request header for comparing: lines joined, space around commas gone; of the `Accept` family
/// (RFC 9110, section 12.5) also case, members in the order of their preference, and what is refused.
fn normal_value(name: &HeaderName, request: &HeaderMap) -> Option<String> {
    let mut members: Vec<String> = Vec::new();
    let mut present = false;
    for value in request.get_all(name) {
        present = true;
        members.extend(text_of(value).split(',').map(|member| member.trim().to_owned()).filter(|m| !m.is_empty()));
    }
    if [header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE].contains(name) {
        members = by_preference(&members);
    }
    present.then(|| members.join(","))
}

fn text_of(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

/// Members in lower case without space, the preferred first, equals in the order of the alphabet.
fn by_preference(members: &[String]) -> Vec<String> {
    let mut weighed: Vec<(u16, String)> = members.iter().map(|member| weigh(member)).collect();
    weighed.sort_unstable_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    weighed.dedup();
    let plain = |(weight, member)| if weight == 1000 { member } else { format!("{member};q={weight}") };
    weighed.into_iter().map(plain).collect()
}

/// A member without its weight, and the weight in thousandths.
fn weigh(member: &str) -> (u16, String) {
    let mut parts = member.split(';').map(|part| part.trim().to_ascii_lowercase());
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to 0..=1000")]
    let thousandths = (weight.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0).round() as u16;
    (thousandths, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn selection(vary: &str, given: &[(&'static str, &str)]) -> Option<Selection> {
        Selection::of_answer(&Policy::default(), &request(given), &request(&[("vary", vary)]))
    }

    #[test]
    fn requests_that_mean_the_same_select_the_same() {
        let stored = selection("Accept-Language, Foo", &[("accept-language", "en, de;q=0.5"), ("foo", "1,2")]).unwrap();

        for (language, foo) in [("en,de;q=0.5", "1, 2"), ("DE; q=0.50 , EN", "1 ,2")] {
            assert!(stored.matches(&request(&[("accept-language", language), ("foo", foo)])), "{language}");
        }
        assert!(stored.matches(&request(&[("accept-language", "en, de;q=0.5"), ("foo", "1"), ("foo", "2")])));
        for (language, foo) in [("de, en;q=0.5", "1, 2"), ("en, de;q=0.5", "2, 1"), ("en", "1,2")] {
            assert!(!stored.matches(&request(&[("accept-language", language), ("foo", foo)])), "{language} {foo}");
        }
    }

    #[test]
    fn an_absent_header_is_not_an_empty_one() {
        let absent = selection("Foo", &[]).unwrap();

        assert!(absent.matches(&request(&[])));
        assert!(!absent.matches(&request(&[("foo", "")])));
    }

    #[test]
    fn a_vary_that_cant_be_kept_apart_is_no_selection() {
        let many: Vec<String> = (0..40).map(|n| format!("x-{n}")).collect();
        let long = "x".repeat(3000);

        for vary in ["*", "*, *", ", *", "Foo, *", "*, Foo", "not a name", &many.join(",")] {
            assert_eq!(selection(vary, &[]), None, "{vary}");
        }
        assert_eq!(selection("Foo", &[("foo", &long)]), None);
        let strict = Policy { vary_allowed: Some(vec![header::ACCEPT_ENCODING]), ..Policy::default() };
        let by_cookie = request(&[("vary", "Cookie")]);
        assert_eq!(Selection::of_answer(&strict, &request(&[]), &by_cookie), None);
    }
}
