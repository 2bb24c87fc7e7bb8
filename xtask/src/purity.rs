//! Proof that `worker-core` is pure: built alone it knows nothing but `core` and `alloc`.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::cargo::{self, Cargo};
use crate::step::{Failure, Passed, Step, StepResult};

/// The step.
pub(crate) const STEP: Step = Step { name: "purity", run };

/// What must stand at the top of the crate.
const ATTRIBUTES: [&str; 2] = ["#![no_std]", "#![forbid(unsafe_code)]"];

/// Targets without a standard library, on which the build alone is proof. Any that is installed
/// will do.
const BARE_TARGETS: [&str; 3] =
    ["thumbv7em-none-eabihf", "x86_64-unknown-none", "riscv32imac-unknown-none-elf"];

fn run() -> StepResult {
    check_attributes()?;
    check_features()?;
    check_tree()?;
    let build = Cargo::new("build --package worker-core --lib --no-default-features");
    build.run()?;
    let Some(target) = BARE_TARGETS.into_iter().find(|target| is_installed(target)) else {
        return Ok(Passed::Ok(String::new()));
    };
    let bare = "build --package worker-core --lib --no-default-features --features serde --target";
    Cargo::new(&format!("{bare} {target}")).run()?;
    Ok(Passed::Ok(format!("also on {target}, which has no std")))
}

fn check_attributes() -> Result<(), Failure> {
    let path = cargo::root().join("core/src/lib.rs");
    let source = fs::read_to_string(&path).map_err(|error| failure(&format!("{error}")))?;
    let missing: Vec<_> = missing_attributes(&source).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(failure(&format!("core/src/lib.rs lacks {}", missing.join(" and "))))
    }
}

fn missing_attributes(source: &str) -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.into_iter().filter(|attribute| source.lines().all(|line| line != *attribute))
}

/// No feature is on by default, and the one that needs the standard library says so.
fn check_features() -> Result<(), Failure> {
    let packages = cargo::packages()?;
    let core = packages.iter().find(|package| package["name"] == "worker-core");
    let features = core.map_or(&Value::Null, |package| &package["features"]);
    if implied(features, "default").next().is_some() {
        return Err(failure("worker-core has default features: it must have none"));
    }
    if !implied(features, "mock").any(|feature| feature == "std") {
        return Err(failure("the feature `mock` of worker-core must imply `std`"));
    }
    Ok(())
}

fn implied<'a>(features: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    features[name].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// No crate that worker-core is built with has its `std` feature on, with serialisation or without.
/// Procedural macros run inside the compiler and are left out.
fn check_tree() -> Result<(), Failure> {
    let tree = "tree --package worker-core --edges features,no-dev,no-build,no-proc-macro";
    for features in ["--no-default-features", "--no-default-features --features serde"] {
        let call = Cargo::new(&format!("{tree} --prefix none {features}"));
        if let Some(line) = std_line(&call.stdout()?) {
            return Err(call.failure(&format!("the standard library comes in by `{line}`")));
        }
    }
    Ok(())
}

fn std_line(tree: &str) -> Option<&str> {
    tree.lines().find(|line| line.contains("feature \"std\""))
}

fn is_installed(target: &str) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer =
        Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output();
    answer.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).is_dir()
    })
}

fn failure(report: &str) -> Failure {
    Failure { report: report.to_owned(), repeat: "cargo xtask test purity".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_std_feature_in_the_tree_is_found() {
        assert_eq!(std_line("worker-core v0.1.0\nserde v1.0.0\n"), None);
        let tree = "worker-core v0.1.0\nserde feature \"std\"\nserde v1.0.0\n";
        assert_eq!(std_line(tree), Some("serde feature \"std\""));
    }

    #[test]
    fn an_attribute_inside_a_comment_does_not_count() {
        let source = "#![no_std]\n// #![forbid(unsafe_code)]\n";
        assert_eq!(missing_attributes(source).collect::<Vec<_>>(), ["#![forbid(unsafe_code)]"]);
    }
}
