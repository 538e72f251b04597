// What becomes of a check that says that it does not apply.

public import BackstopConformance
import Testing

/// Checks of what a storage may be without (`Capabilities.putIfAbsent`).
public let ifAbsentChecks: Set = ["put if absent", "of many puts if absent one wins"]

/// Cancels the test, so that it does not count as passed, when the subject is known to lack what the check looks at. Otherwise something was
/// lost that was there, which is a failure. As the console is silent about cancelled tests, it is printed.
public func settle(_ verdict: Verdict, _ check: String, lacking known: Set<String>) throws {
    guard case .notApplicable(let reason) = verdict else { return }
    guard known.contains(check) else {
        Issue.record("'\(check)' does not apply any more: \(reason)")
        return
    }
    print("'\(check)' does not apply: \(reason)")
    try Test.cancel(Comment(rawValue: reason))
}
