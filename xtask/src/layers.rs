//! Arrows between the packages of the workspace point down only.

use serde_json::Value;

use crate::cargo;
use crate::step::{Failure, Passed, Step, StepResult};

/// The step.
pub(crate) const STEP: Step = Step { name: "layers", run };

/// Every package, with those of the workspace that it may depend on, in tests and benches too.
const LAYERS: [(&str, &[&str]); 5] = [
    ("worker-core", &[]),
    ("worker-platform-unix", &["worker-core"]),
    ("worker-platform-windows", &["worker-core"]),
    ("worker-cli", &["worker-core", "worker-platform-unix", "worker-platform-windows"]),
    ("xtask", &["worker-core"]),
];

/// What the core must not know at run time: runtimes, systems, clocks.
const FOREIGN_TO_CORE: [&str; 6] = ["tokio", "mio", "libc", "rustix", "windows-sys", "jiff"];

fn run() -> StepResult {
    let packages = cargo::packages()?;
    let faults: Vec<String> = packages.iter().flat_map(faults).collect();
    if faults.is_empty() {
        return Ok(Passed::Ok(format!("{} packages", packages.len())));
    }
    let report = faults.join("\n");
    Err(Failure { report, repeat: "cargo xtask test layers".to_owned() })
}

fn faults(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
        return vec![format!("{name} has no place among the layers: give it one in layers.rs")];
    };
    let arrows_up = siblings(package)
        .filter(|target| !allowed.contains(target) && *target != name)
        .map(|target| format!("{name} must not depend on {target}"));
    let foreign = dependencies(package)
        .filter(|(dependency, kind)| {
            name == "worker-core" && kind.is_null() && is_foreign(dependency)
        })
        .map(|(dependency, _)| format!("worker-core must not know {dependency}"));
    arrows_up.chain(foreign).collect()
}

/// The packages of the workspace that this one depends on; those have a path.
fn siblings(package: &Value) -> impl Iterator<Item = &str> {
    let all = package["dependencies"].as_array().into_iter().flatten();
    all.filter(|dependency| dependency["path"].is_string()).filter_map(|it| it["name"].as_str())
}

/// Names and kinds; the kind of an ordinary dependency is null.
fn dependencies(package: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = package["dependencies"].as_array().into_iter().flatten();
    all.filter_map(|dependency| Some((dependency["name"].as_str()?, &dependency["kind"])))
}

fn is_foreign(dependency: &str) -> bool {
    FOREIGN_TO_CORE.contains(&dependency)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, dependency: &str, kind: Value, path: Value) -> Value {
        json!({ "name": name, "dependencies": [{ "name": dependency, "kind": kind, "path": path }] })
    }

    #[test]
    fn an_arrow_up_is_a_fault_in_tests_too() {
        let package =
            package("worker-core", "worker-platform-unix", json!("dev"), json!("platform-unix"));
        assert_eq!(faults(&package), ["worker-core must not depend on worker-platform-unix"]);
    }

    #[test]
    fn an_arrow_down_is_none_nor_is_one_to_itself_which_turns_on_features_for_tests() {
        let down = package("worker-cli", "worker-core", Value::Null, json!("core"));
        let own = package("worker-core", "worker-core", json!("dev"), json!("core"));
        assert!(faults(&down).is_empty());
        assert!(faults(&own).is_empty());
    }

    #[test]
    fn the_core_may_use_a_runtime_in_its_tests_only() {
        let package = |kind| package("worker-core", "tokio", kind, Value::Null);
        assert_eq!(faults(&package(Value::Null)), ["worker-core must not know tokio"]);
        assert!(faults(&package(json!("dev"))).is_empty());
    }

    #[test]
    fn a_package_without_a_place_is_a_fault() {
        assert_eq!(faults(&json!({ "name": "worker-extra" })).len(), 1);
    }
}
