import EndToEndSupport
import Foundation
import Testing

/// kill -9 at random moments of every kind of backup, while pages are written: whatever run comes next goes on or begins anew, and what it makes is
/// a backup of that moment. PGBACKSTOP_TEST_KILLS says how many kills there are, all cases together.
@Suite(.servers)
struct KillTests {
    struct Case: Sendable, CustomStringConvertible {
        let description: String
        let format: Format
        let options: KeyValuePairs<String, String>
        let seed: UInt64
    }

    private static let all = [
        Case(description: "files", format: Format(.zst), options: [:], seed: 101),
        Case(
            description: "bundles", format: Format(.lz4, .aes),
            options: ["repo1-bundle": "y", "repo1-bundle-size": "1MiB", "repo1-bundle-limit": "256KiB"], seed: 102),
        Case(
            description: "blocks", format: Format(.zst),
            options: ["repo1-bundle": "y", "repo1-block": "y", "repo1-bundle-size": "1MiB", "repo1-bundle-limit": "64KiB"], seed: 103),
    ]
    private static let kills = ProcessInfo.processInfo.environment["PGBACKSTOP_TEST_KILLS"].flatMap { Int($0) } ?? 12
    private static let types = ["full", "diff", "incr"]

    /// What became of the runs, of which some were killed too.
    private struct Counts: CustomStringConvertible {
        var killed: [String: Int] = [:]
        var resumed = 0
        /// By why what was left was not used.
        var begunAnew: [String: Int] = [:]
        var nothingLeft = 0
        var restored = 0
        var description: String {
            func list(_ counts: [String: Int]) -> String {
                counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            }
            return
                "\(sum) kills (\(list(killed))); of the runs after them \(resumed) resumed, \(begunAnew.values.reduce(0, +)) began anew (\(list(begunAnew))), \(nothingLeft) found nothing; \(restored) backups restored and compared"
        }

        var sum: Int { killed.values.reduce(0, +) }

        mutating func note(_ outcome: Outcome) {
            if outcome.text.contains("resumable backup") {
                resumed += 1
            } else if outcome.text.contains("remove unfinished backup") {
                let reason = outcome.text.firstMatch(of: /cannot be resumed: (.*)/).map { String($0.1) } ?? "not asked"
                begunAnew[reason.replacing(/[0-9]{8}-[0-9]{6}[FDI_0-9-]*/, with: "…"), default: 0] += 1
            } else {
                nothingLeft += 1
            }
        }
    }

    @Test(arguments: all)
    func anyMoment(_ example: Case) throws {
        let options = example.options.map { ($0.key, $0.value) } + [("manifest-save-threshold", "1B"), ("process-max", "1")]
        let bench = try Workbench(example.format)
        try bench.configure(options)
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        for number in 1...4 {
            try cluster.query(
                "CREATE TABLE t\(number) AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 30000) n; CREATE INDEX ON t\(number) (text)"
            )
        }
        var random = Seeded(example.seed)
        var counts = Counts()
        var lasting = try bench.run("--type=full", "backup").seconds
        var isAfterKill = false
        while counts.sum < Self.kills / Self.all.count {
            let type = Self.types[counts.sum % Self.types.count]
            try cluster.query("UPDATE t\(Int.random(in: 1...4, using: &random)) SET text = reverse(text) WHERE id % 20 = 0")
            // Not a byte longer, and on disk at once.
            let write = "UPDATE t\(Int.random(in: 1...4, using: &random)) SET text = md5(text) WHERE id % 500 = 7; CHECKPOINT"
            let writer = try Running(["sh", "-c", "while :; do \"$@\" >/dev/null 2>&1; done", "sh"] + psql(cluster, write))
            let running = try bench.launch("--type=\(type)", "--log-level-console=info", "backup")
            // Every other one is let come as far as files are copied.
            let listed = Set(try bench.labels())
            while counts.sum % 2 == 1, running.poll() == nil, try unfinished(bench, listed).isEmpty { pause(0.001) }
            let moment = ContinuousClock.now + .seconds(Double.random(in: 0...lasting * (counts.sum % 2 == 1 ? 0.6 : 1), using: &random))
            while running.poll() == nil && ContinuousClock.now < moment { pause(0.0005) }
            running.signal(SIGKILL)
            let outcome = try running.wait()
            writer.signal(SIGKILL)
            _ = try writer.wait()
            let isKilled = outcome.status == 137
            if isKilled { counts.killed[type, default: 0] += 1 } else { #expect(outcome.status == 0, "\(outcome)") }
            if isAfterKill { counts.note(outcome) }
            isAfterKill = isKilled
            // In a quarter of the cases the next run is killed as well.
            if isKilled, counts.sum % Self.types.count != 0, Int.random(in: 0..<4, using: &random) == 0 { continue }
            try cluster.wait(until: "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'", is: "1")
            let rows = try cluster.fingerprint()
            let next = Int.random(in: 0..<5, using: &random) == 0 ? Self.types.randomElement(using: &random)! : type
            let done = try bench.run("--type=\(next)", "--log-level-console=info", "backup")
            lasting = done.seconds
            if isAfterKill { counts.note(done) }
            isAfterKill = false
            try compare(bench, cluster, rows)
            counts.restored += 1
            if try bench.labels().count > 8 { try bench.run("--repo1-retention-full=2", "expire", tool: .peer) }
            try cluster.query("VACUUM")
        }
        print("\(example): \(counts)")
        #expect(
            counts.restored > 0 && counts.resumed + counts.begunAnew.count > 0 && Set(counts.killed.keys) == Set(Self.types), "\(counts)")
    }

    /// Folders of backups that are not listed.
    private func unfinished(_ bench: Workbench, _ listed: Set<String>) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(bench.repository)/backup/demo")
        return names.filter { $0.first?.isNumber == true && !listed.contains($0) }
    }

    private func psql(_ cluster: Cluster, _ sql: String) -> [String] {
        [cluster.installation.program("psql"), "-qX", "-h", cluster.socket, "-U", "postgres", "-d", "postgres"]
            + sql.split(separator: ";").flatMap { ["-c", String($0)] }
    }

    /// The latest backup is whole, nothing else is left, and what it restores to is what the cluster has.
    private func compare(_ bench: Workbench, _ cluster: Cluster, _ rows: String) throws {
        try cluster.archiveCurrentSegment()
        let labels = try bench.labels()
        #expect(try unfinished(bench, Set(labels)).isEmpty)
        try bench.expectVerified()
        if bench.format.cipher == .none { try bench.expectManifestsAreTrue() }
        let restored = try bench.restore("restored", "--type=immediate", "--target-action=promote")
        try restored.start(["archive_mode=off"])
        try restored.waitForPromotion()
        #expect(try restored.fingerprint() == rows, "\(labels.last ?? "")")
        try restored.check()
        try restored.stop("immediate")
        try run(["rm", "-rf", restored.data])
    }
}
