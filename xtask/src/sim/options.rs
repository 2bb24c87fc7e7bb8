//! The options of `cargo xtask sim`.

use std::fmt;

/// The usage, for those who ask and those who mistype.
pub(crate) const USAGE: &str = "\
usage: cargo xtask sim [--seed N] [--steps N] [--lives N] [--minutes N]
       cargo xtask sim --exhaustive N

  --seed N      where everything is drawn from; the same seed gives the same output (default 1)
  --steps N     steps of each world (default 300)
  --lives N     end after so many simulated process lives (default 200000; 0: one world)
  --minutes N   go on for so long instead, with a line of progress
  --exhaustive N
                explore small worlds whole instead, up to N states of each

exit codes: 0 nothing found, 2 usage, 3 nothing found but too little seen,
            127 the core panicked, 128 a slot did not settle, 129 a rule is broken";

/// What a campaign is run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) seed: u64,
    pub(crate) steps: usize,
    pub(crate) lives: u64,
    pub(crate) minutes: Option<u64>,
    /// So many states of each small world, instead of drawn worlds.
    pub(crate) exhaustive: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, steps: 300, lives: 200_000, minutes: None, exhaustive: None }
    }
}

/// As they would be typed.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(limit) = self.exhaustive {
            return write!(f, "--exhaustive {limit}");
        }
        write!(f, "--seed {} --steps {}", self.seed, self.steps)?;
        match self.minutes {
            Some(minutes) => write!(f, " --minutes {minutes}"),
            None => write!(f, " --lives {}", self.lives),
        }
    }
}

pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(arg) = args.next() {
        let value = args.next().ok_or_else(|| format!("`{arg}` needs a number\n{USAGE}"))?;
        let number: u64 = value
            .parse()
            .map_err(|_| format!("`{arg} {value}`: `{value}` is not a whole number\n{USAGE}"))?;
        match arg.as_str() {
            "--seed" => options.seed = number,
            "--steps" => options.steps = usize::try_from(number).unwrap_or(usize::MAX),
            "--lives" => options.lives = number,
            "--minutes" => options.minutes = Some(number),
            "--exhaustive" => options.exhaustive = usize::try_from(number).ok(),
            _ => return Err(format!("`{arg}` is not an option\n{USAGE}")),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_print_as_they_are_typed() {
        let typed = "--seed 7 --steps 20 --lives 9";
        let options = parse(typed.split(' ').map(String::from));
        assert_eq!(options.map(|options| options.to_string()), Ok(typed.into()));
    }

    #[test]
    fn a_mistake_is_named_with_its_value() {
        let wrong = parse(["--seed", "x"].map(String::from).into_iter());
        assert!(wrong.is_err_and(|message| message.contains("`x` is not a whole number")));
    }
}
