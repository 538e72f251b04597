import EndToEndSupport
import Foundation
import Testing

/// A bucket that keeps old versions, seen as it was before somebody destroyed the repository in it.
@Suite(.servers)
struct RepositoryInThePastTests {
    /// A backup that is good, the time after it, and what came then: an overwritten file, and everything removed.
    final class Disaster: Sendable {
        let bench: Workbench
        let path: String
        let label: String
        let segment: String
        let rows: String
        /// The segment as the server wrote it.
        let kept: String
        /// After the backup and before the disaster, as repo-target-time wants it.
        let before: String
        let store: ObjectStore
        static let bucket = "versioned"

        init() throws {
            store = try ObjectStore.shared.get()
            try store.makeVersionedBucket(Disaster.bucket)
            bench = try Workbench(Format(.zst, .aes), on: .s3, options: ["repo1-s3-bucket": Disaster.bucket])
            path = "\(URL(fileURLWithPath: bench.folder.path).lastPathComponent)/repository"
            let cluster = try bench.clusterWithBackup()
            rows = try cluster.fingerprint()
            segment = try cluster.archiveCurrentSegment()
            kept = bench.folder.path("kept-segment")
            try run(["cp", "\(cluster.data)/pg_wal/\(segment)", kept])
            label = try bench.labels()[0]

            // The store tells times in whole seconds.
            before = try Disaster.nextSecond()
            _ = try Disaster.nextSecond()
            try cluster.query("CREATE TABLE later AS SELECT 1")
            try bench.run("--type=full", "backup")
            try cluster.stop()
            // Another client overwrites what matters most, and removes the rest of it.
            let backups = "\(path)/backup/demo"
            try store.put("/\(Disaster.bucket)/\(backups)/\(label)/backup.manifest", "encrypted by somebody else")
            let names = ["backup.info", "backup.info.copy", "\(label)/backup.manifest.copy"].map { "\(backups)/\($0)" }
            for name in try names + destroyedFolders().flatMap({ try store.names(Disaster.bucket, $0) }) {
                try run(store.signed("DELETE", "/\(Disaster.bucket)/\(ObjectStore.encoded(name))"))
            }
        }

        /// Waits for the next second and tells it, with an offset.
        static func nextSecond() throws -> String {
            let now = Int(Date().timeIntervalSince1970)
            let next = try eventually("the next second") { Int(Date().timeIntervalSince1970) > now ? now + 1 : nil }
            return try run(["date", "-u", "-d", "@\(next)", "+%Y-%m-%d %H:%M:%S+00"]).output.trimmingCharacters(in: .newlines)
        }

        func destroyedFolders() -> [String] { ["\(path)/archive", "\(path)/backup/demo/\(label)/pg_data/global"] }

        var past: [String] { ["--repo=1", "--repo-target-time=\(before)"] }
    }

    static let disaster = Result { try Disaster() }
    let disaster: Disaster
    var bench: Workbench { disaster.bench }

    init() throws { disaster = try RepositoryInThePastTests.disaster.get() }

    @Test func todayThereIsNothing() throws {
        let info = try bench.attempt("info")
        #expect(info.text.contains("status: error") && !info.text.contains(disaster.label), "\(info)")
    }

    @Test func info() throws {
        let outcome = try bench.attempt(disaster.past + ["--output=json", "info"])
        let info = try #require(try JSONDecoder().decode([StanzaInfo].self, from: Data(outcome.output.utf8)).first, "\(outcome)")
        #expect(info.status.code == 0)
        #expect(info.backup.map(\.label) == [disaster.label])
        #expect(info.archive.first?.max == disaster.segment)
        let details = try bench.attempt(disaster.past + ["--set=\(disaster.label)", "info"])
        #expect(details.status == 0 && details.text.contains("full backup: \(disaster.label)"), "\(details)")
    }

    /// Before the stanza there was nothing.
    @Test func tooEarly() throws {
        let info = try bench.attempt("--repo=1", "--repo-target-time=2020-02-02 02:02:02+00", "info")
        #expect(info.text.contains("missing stanza path"), "\(info)")
    }

    /// The same moment in local time (the tests run in UTC), with another offset and with a fraction.
    @Test func formsOfATime() throws {
        let local = String(disaster.before.dropLast(3))
        for text in [local, "\(local).999", "\(local)+00:00", "\(local)+0000", "\(local).5+00"] {
            let outcome = try bench.attempt(["--repo=1", "--repo-target-time=\(text)", "info"])
            #expect(outcome.text.contains(disaster.label), "\(text)\n\(outcome)")
        }
        for text in ["yesterday", "2026-11", "\(local)+1", "\(local) UTC", "2026-02-31 10:00:00+00"] {
            let get = try bench.attempt([
                "--repo=1", "--repo-target-time=\(text)", "archive-get", disaster.segment, bench.folder.path("got"),
            ])
            #expect(get.status != 0 && get.status != 1 && get.text.contains("'\(text)' is not valid for 'repo-target-time'"), "\(get)")
        }
    }

    @Test func archiveGet() throws {
        let got = bench.folder.path("got")
        let outcome = try bench.attempt(disaster.past + ["archive-get", disaster.segment, got])
        #expect(outcome.status == 0, "\(outcome)")
        try run(["cmp", got, disaster.kept])
        let next = try bench.attempt(disaster.past + ["archive-get", "0000000100000000000000FF", got])
        #expect(next.status == 1, "\(next)")
    }

    @Test func restore() throws {
        let place = try Workbench(sharing: bench)
        try place.run(disaster.past + ["restore", "--type=immediate", "--target-action=promote"])
        let restored = try Cluster(.version(15), in: place.folder, name: "data")
        // What it needs to be consistent comes from the past too: the command that restore wrote says so.
        try restored.start(["archive_mode=off"])
        try restored.waitForPromotion()
        #expect(try restored.fingerprint() == disaster.rows)
        try restored.stop()
    }

    @Test func nothingCanBeWritten() throws {
        func versions() throws -> [String] {
            try disaster.destroyedFolders().flatMap { try disaster.store.names(Disaster.bucket, $0, versions: true) }
        }
        let before = try versions()
        for command in [["stanza-create"], ["backup"], ["archive-push", "x"], ["expire"]] {
            let outcome = try bench.attempt(["--repo-target-time=\(disaster.before)"] + command)
            #expect(outcome.status == 31 && outcome.text.contains("repo-target-time"), "\(outcome)")
        }
        #expect(try versions() == before)
    }

    @Test func neededOptions() throws {
        let outcome = try bench.attempt("--repo-target-time=\(disaster.before)", "info")
        #expect(outcome.status == 31 && outcome.text.contains("repo"), "\(outcome)")
    }

    /// A bucket that keeps no versions would show less than there was, and nobody would know.
    @Test func bucketWithoutVersions() throws {
        let plain = try Workbench(on: .s3)
        for command in [["info"], ["--pg1-path=\(bench.data)", "archive-get", disaster.segment, plain.folder.path("got")]] {
            let outcome = try plain.attempt(disaster.past + command)
            #expect(outcome.text.contains("bucket '\(ObjectStore.bucket)' keeps no versions"), "\(outcome)")
            #expect(outcome.text.contains("HINT") && outcome.text.contains("repo-target-time"), "\(outcome)")
        }
    }

    @Test func posix() throws {
        let plain = try Workbench()
        let outcome = try plain.attempt(disaster.past + ["info"])
        #expect(outcome.text.contains("keeps no old versions") && outcome.text.contains("repo-target-time"), "\(outcome)")
        let get = try plain.attempt(
            disaster.past + ["--pg1-path=\(bench.data)", "archive-get", disaster.segment, plain.folder.path("got")])
        #expect(get.status > 1 && get.text.contains("keeps no old versions"), "\(get)")
    }
}
