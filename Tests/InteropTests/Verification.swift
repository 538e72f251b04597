// What others say of a repository that we wrote: pgBackRest's verify, and a reader of manifests that knows only their specification.

import EndToEndSupport
import Foundation
import Testing

extension Workbench {
    /// pgBackRest's `verify` exits with 0 whatever it finds, so its report is read: every backup and all WAL must be valid.
    func expectVerified(_ peer: Tool = .peer) throws {
        let report = try run("--verbose", "--output=text", "--log-level-console=info", "verify", tool: peer).output
        #expect(report.contains("status: ok"), "\(report)")
        #expect(!report.contains("ERROR") && !report.contains("WARN"), "\(report)")
        for label in try labels() { #expect(report.contains("backup: \(label), status: valid"), "\(report)") }
        for line in report.split(separator: "\n") {
            let numbers = line.split(separator: " ").compactMap { Int($0.trimmingCharacters(in: .punctuationCharacters)) }
            if line.contains("total WAL checked") || line.contains("total files checked") {
                #expect(numbers.count == 2 && numbers[0] == numbers[1] && numbers[0] > 0, "\(line)")
            }
            if line.contains("missing:") { #expect(numbers == [0, 0, 0, 0], "\(line)") }
        }
    }

    /// Every entry of every manifest has its own bytes, and there are no others. For a repository that is an open folder.
    func expectManifestsAreTrue() throws {
        let faults = try EndToEndSupport.run(
            ["python3", Drivers.copy("Tests/tools/manifest-faults", into: folder), "\(repository)/backup/demo"] + labels())
        #expect(faults.output.isEmpty, "\(faults)")
    }
}
