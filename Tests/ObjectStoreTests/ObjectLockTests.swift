// Objects that nobody may remove before their time, on a real bucket with object lock.

import BackstopCore
import EndToEndSupport
import Foundation
import Testing

@Suite struct ObjectLockTests {
    private static let bucket = "locked"

    private func options(_ mode: String) throws -> [(String, String)] {
        try ObjectStore.shared.get().makeBucket(Self.bucket, ["x-amz-bucket-object-lock-enabled: true"])
        return [("repo1-s3-bucket", Self.bucket), ("repo1-s3-object-lock", mode), ("repo1-s3-object-lock-days", "3")]
    }

    /// What an independent client sees of an object, names in lower case.
    private func head(_ path: String) throws -> [String: String] {
        let lines = try run(ObjectStore.shared.get().signed("HEAD", path) + ["--head"]).output.split(whereSeparator: \.isNewline)
        let pairs = lines.compactMap { line in
            line.firstIndex(of: ":").map { (line[..<$0].lowercased(), line[line.index(after: $0)...].trimmingCharacters(in: .whitespaces)) }
        }
        return Dictionary(pairs) { $1 }
    }

    @Test(arguments: ["governance", "compliance"]) func objectsAreLocked(_ mode: String) throws {
        let bench = try KeyBench(.shared, options: options(mode))
        let begin = Date()
        // The info files are written anew each time, which makes new versions and leaves the locked ones.
        for _ in 0..<2 { try bench.succeed("--no-online", "stanza-create") }
        #expect(try bench.push().status == 0)
        let paths = Set(try bench.services.requests("store").filter { $0.method == "PUT" }.map(\.path))
            .filter { !$0.contains("/backup.lease-") }
        #expect(paths.count >= 5)
        for path in paths {
            let headers = try head(path)
            #expect(headers["x-amz-object-lock-mode"] == mode.uppercased())
            let until = try #require(headers["x-amz-object-lock-retain-until-date"].flatMap { try? Date($0, strategy: .iso8601) })
            #expect((begin.addingTimeInterval(3 * 86_400 - 2)...begin.addingTimeInterval(3 * 86_400 + 60)).contains(until))
            // The version itself stays, whoever asks.
            let version = try #require(headers["x-amz-version-id"])
            #expect(try ObjectStore.shared.get().request("DELETE", "\(path)?versionId=\(version)").status != 0)
        }
    }

    @Test func partsAreLocked() async throws {
        let options = try options("governance")
        let path = "/\(UUID().uuidString)"
        let store = try await openStorage(try ObjectStore.shared.get().options(path: path).filter { $0.0 != "repo1-s3-bucket" } + options)
        let key = try Key(checking: "large")
        _ = try await store.put(key, bytes: [UInt8](repeating: 7, count: 21 << 20))
        #expect(try head("/\(Self.bucket)\(path)/large")["x-amz-object-lock-mode"] == "GOVERNANCE")
        // Removing hides what is locked, and what is hidden is not there.
        try await store.remove(key)
        #expect(try await store.stat(key) == nil)
    }

    /// Stores without versions refuse the removal itself.
    @Test func refusedRemovalSaysWhy() async throws {
        let services = try KeyServices()
        let path = "/\(UUID().uuidString)"
        let options = try ObjectStore.shared.get().options(path: path, port: services.port).filter { $0.0 != "repo1-s3-bucket" }
        let store = try await openStorage(options + self.options("compliance"))
        let refusal = "<Error><Key>\(path.dropFirst())/file</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
        try services.tell(
            #"""
            {"faults": [{"service": "store", "method": "DELETE", "times": 99, "fault": "status", "status": 403, "body": "\#(refusal)"},
              {"service": "store", "method": "POST", "has": "delete=", "times": 99, "fault": "status", "status": 200,
               "body": "<DeleteResult>\#(refusal)</DeleteResult>"}]}
            """#)
        let key = try Key(checking: "file")
        for several in [false, true] {
            await #expect {
                if several { try await store.remove([key, key]) } else { try await store.remove(key) }
            } throws: { error in
                let error = error as? BackupError
                return error?.code == .denied && error?.hint?.contains("locked for 3 days (repo-s3-object-lock=compliance)") == true
            }
        }
    }

    /// A bucket that cannot lock does not take locked objects, and says so.
    @Test func bucketWithoutLock() throws {
        let bench = try KeyBench(.shared, options: [("repo1-s3-object-lock", "governance"), ("repo1-s3-object-lock-days", "3")])
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status != 0 && outcome.text.contains("repo-s3-object-lock") && outcome.text.contains("HINT"), "\(outcome)")
    }

    @Test func daysAreNeeded() throws {
        let bench = try KeyBench(.shared, options: [("repo1-s3-object-lock", "governance")])
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status == 37 && outcome.text.contains("repo1-s3-object-lock-days"), "\(outcome)")
    }
}
