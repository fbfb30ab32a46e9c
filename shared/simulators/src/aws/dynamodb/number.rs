//! `DynamoDB` numbers: 38 decimal digits, magnitude from 1E-130 to 9.99E+125, compared and added exactly.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

const MOST_DIGITS: i32 = 38;
const LIMIT: u128 = 10u128.pow(38);

/// `digits × 10^exponent`, with no trailing zero in `digits`; zero is never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    digits: u128,
    exponent: i32,
}

impl Number {
    fn new(negative: bool, mut digits: u128, mut exponent: i32) -> Result<Self, String> {
        if digits == 0 {
            return Ok(Self { negative: false, digits: 0, exponent: 0 });
        }
        while digits.is_multiple_of(10) {
            digits /= 10;
            exponent += 1;
        }
        if digits >= LIMIT {
            return Err("Attempting to store more than 38 significant digits in a Number".to_owned());
        }
        let number = Self { negative, digits, exponent };
        if number.magnitude() > 126 {
            return Err(
                "Number overflow. Attempting to store a number with magnitude larger than supported range"
                    .to_owned(),
            );
        }
        if number.magnitude() < -129 {
            return Err(
                "Number underflow. Attempting to store a number with magnitude smaller than supported range"
                    .to_owned(),
            );
        }
        Ok(number)
    }

    /// Position of the leading digit: the number is below `10^magnitude` and not below `10^(magnitude - 1)`.
    fn magnitude(&self) -> i32 {
        self.count() + self.exponent
    }

    fn count(&self) -> i32 {
        self.digits.checked_ilog10().map_or(0, |log| i32::try_from(log).unwrap_or(MOST_DIGITS) + 1)
    }

    /// Bytes the number takes in storage: two digits a byte, one for the exponent, one for a minus.
    #[must_use]
    pub fn size(&self) -> usize {
        let digits = usize::try_from(self.count()).unwrap_or(1);
        digits.div_ceil(2) + 1 + usize::from(self.negative)
    }

    /// The sum, refused when it needs more than 38 digits.
    pub fn plus(&self, other: &Self) -> Result<Self, String> {
        let too_long = || "Attempting to store more than 38 significant digits in a Number".to_owned();
        if self.digits == 0 {
            return Ok(*other);
        }
        if other.digits == 0 {
            return Ok(*self);
        }
        let exponent = self.exponent.min(other.exponent);
        let (left, right) =
            (self.scaled(exponent).ok_or_else(too_long)?, other.scaled(exponent).ok_or_else(too_long)?);
        if self.negative == other.negative {
            return Self::new(self.negative, left.checked_add(right).ok_or_else(too_long)?, exponent);
        }
        let negative = if left >= right { self.negative } else { other.negative };
        Self::new(negative, left.abs_diff(right), exponent)
    }

    /// The difference, refused when it needs more than 38 digits.
    pub fn minus(&self, other: &Self) -> Result<Self, String> {
        self.plus(&Self { negative: !other.negative && other.digits != 0, ..*other })
    }

    fn scaled(&self, exponent: i32) -> Option<u128> {
        let shift = u32::try_from(self.exponent - exponent).ok()?;
        self.digits.checked_mul(10u128.checked_pow(shift)?)
    }

    fn magnitude_cmp(&self, other: &Self) -> Ordering {
        if self.digits == 0 || other.digits == 0 {
            return self.digits.cmp(&other.digits);
        }
        let aligned = |number: &Self| {
            let shift = u32::try_from(MOST_DIGITS - number.count()).unwrap_or(0);
            number.digits.saturating_mul(10u128.saturating_pow(shift))
        };
        self.magnitude().cmp(&other.magnitude()).then_with(|| aligned(self).cmp(&aligned(other)))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::new(false, u128::from(value), 0).unwrap_or(Self { negative: false, digits: 0, exponent: 0 })
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude_cmp(other),
            (true, true) => other.magnitude_cmp(self),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("The parameter cannot be converted to a numeric value: {text}");
        let too_long = || "Attempting to store more than 38 significant digits in a Number".to_owned();
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| invalid())?),
            None => (rest, 0),
        };
        if exponent.abs() > 1000 {
            return Err(if exponent > 0 {
                "Number overflow. Attempting to store a number with magnitude larger than supported range"
                    .to_owned()
            } else {
                "Number underflow. Attempting to store a number with magnitude smaller than supported range"
                    .to_owned()
            });
        }
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let every = || whole.bytes().chain(fraction.bytes());
        if every().next().is_none() || !every().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let fraction = fraction.trim_end_matches('0');
        let joined = format!("{whole}{fraction}");
        let significant = joined.trim_start_matches('0');
        let kept = significant.trim_end_matches('0');
        if kept.len() > 38 {
            return Err(too_long());
        }
        let digits = if kept.is_empty() { 0 } else { kept.parse::<u128>().map_err(|_| invalid())? };
        let dropped = i32::try_from(significant.len() - kept.len()).map_err(|_| too_long())?;
        let shift = i32::try_from(fraction.len()).map_err(|_| too_long())?;
        Self::new(negative, digits, exponent - shift + dropped)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits.to_string();
        let sign = if self.negative { "-" } else { "" };
        if self.exponent >= 0 {
            let zeros = "0".repeat(usize::try_from(self.exponent).unwrap_or(0));
            return write!(formatter, "{sign}{digits}{zeros}");
        }
        let places = usize::try_from(-self.exponent).unwrap_or(0);
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(formatter, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_comes_back_in_its_shortest_plain_form() {
        for (written, read) in [
            ("0", "0"),
            ("-0", "0"),
            ("007", "7"),
            ("1.50", "1.5"),
            ("1E3", "1000"),
            ("1.2e-3", "0.0012"),
            ("-.5", "-0.5"),
            ("+12", "12"),
            ("120000000000000000000000000000000000000000", "120000000000000000000000000000000000000000"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ] {
            assert_eq!(number(written).to_string(), read, "{written}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for text in ["", "-", ".", "1.2.3", "abc", "1e", "0x10", " 1", "NaN", "Infinity"] {
            assert!(text.parse::<Number>().unwrap_err().contains("cannot be converted"), "{text}");
        }
        assert!("123456789012345678901234567890123456789".parse::<Number>().unwrap_err().contains("38"));
        assert!("1E126".parse::<Number>().unwrap_err().contains("overflow"));
        assert!("1E-131".parse::<Number>().unwrap_err().contains("underflow"));
        assert!("9.9E125".parse::<Number>().is_ok() && "1E-130".parse::<Number>().is_ok());
    }

    #[test]
    fn order_and_sums_are_exact_beyond_floating_point() {
        let ordered =
            ["-1E100", "-2", "-1.5", "0", "1E-130", "0.1", "9007199254740993", "9007199254740994", "1E125"];
        for pair in ordered.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        assert_eq!(number("0.1").plus(&number("0.2")).unwrap(), number("0.3"));
        assert_eq!(number("1").minus(&number("1.000")).unwrap(), number("0"));
        assert_eq!(number("5").minus(&number("7.5")).unwrap(), number("-2.5"));
        assert!(number("1E50").plus(&number("1")).is_err());
    }
}
