import EndToEndSupport
import Foundation
import Testing

/// Backups while tables are made, changed, emptied, rewritten and dropped: the files of what is listed come and go, and what is restored is what
/// pgBackRest restores of the same backup.
@Suite(.servers)
struct ChangingTablesTests {
    struct Case: Sendable, CustomStringConvertible {
        let version: Int
        /// Options of one backup after the other.
        let backups: [[String]]
        var description: String { "PostgreSQL \(version), \(backups.count) backups" }
    }

    private static let bundled = ["--repo1-bundle", "--repo1-block", "--repo1-bundle-size=1MiB", "--repo1-bundle-limit=128KiB"]
    static let cases = [
        Case(version: 15, backups: [["--type=full"], ["--type=incr"], ["--type=incr"] + bundled]),
        Case(version: 18, backups: [["--type=full"] + bundled, ["--type=incr"] + bundled]),
    ]

    /// Runs a backup that stands still, once its files are listed, until `meanwhile` has returned: so that it is not too quick for anything to happen.
    private func backUp(_ bench: Workbench, _ options: [String], _ meanwhile: () throws -> Void) throws -> Outcome {
        func manifests() -> Set<String> {
            Set(((try? bench.files.names("backup/demo")) ?? []).filter { $0.hasSuffix("/backup.manifest.copy") })
        }
        let before = manifests()
        let running = try Running(bench.command(options + ["--log-level-console=detail", "backup"]), in: bench.folder.path)
        try eventually("the backup has listed the cluster") { manifests() != before || running.poll() != nil ? true : nil }
        running.signal(SIGSTOP)
        defer { running.signal(SIGCONT) }
        try meanwhile()
        running.signal(SIGCONT)
        let outcome = try running.wait()
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
        return outcome
    }

    @Test(arguments: cases)
    func backups(_ example: Case) throws {
        let bench = try Workbench(Format(.none), options: ["process-max": "1"])
        let cluster = try bench.cluster(example.version)
        try bench.run("stanza-create")
        try cluster.query("CREATE TABLE ledger (session int, step int, PRIMARY KEY (session, step))")
        // All of one size: a file in the place of another is seen by its rows only.
        for number in 1...6 {
            try cluster.query(
                "CREATE TABLE still_\(number) AS SELECT '\(number)' AS of, md5(n || '\(number)') AS text FROM generate_series(1, 20000) n")
        }
        let still = try fingerprint(of: "still", cluster)
        let sessions = try (1...3).map { try storm($0, on: cluster) }
        var text = ""
        for options in example.backups {
            let before = try steps(cluster)
            let outcome = try backUp(bench, options) {
                try eventually("tables change") { try steps(cluster) > before + 30 ? true : nil }
            }
            #expect(try steps(cluster) > before + 10, "the tables did not change while they were backed up")
            text += outcome.text
            try cluster.query("UPDATE still_6 SET text = text")
        }
        for session in sessions { session.signal(SIGKILL) }
        #expect(text.contains("skip file removed by database"), "nothing was dropped while it was backed up")
        try cluster.wait(until: "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'", is: "1")
        try cluster.archiveCurrentSegment()
        try cluster.stop()

        let labels = try bench.labels()
        #expect(labels.count == example.backups.count)
        try bench.expectManifestsAreTrue()
        try bench.expectVerified()
        let twins = try Workbench(sharing: bench, by: .peer)
        for label in labels {
            let twin = try restore(label, in: twins, example.version)
            let rows = try twin.fingerprint()
            try twin.stop()
            let restored = try restore(label, in: bench, example.version)
            #expect(try restored.fingerprint() == rows, "\(label)")
            // And both have what the cluster had.
            #expect(try fingerprint(of: "still", restored) == still, "\(label)")
            #expect(try restored.query("SELECT count(*) FROM ledger GROUP BY session HAVING count(*) <> max(step)") == "", "\(label)")
            try expectOwnRows(restored)
            try restored.check()
            try restored.stop()
            try run([restored.installation.program("pg_checksums"), "--check", "-D", restored.data])
        }
    }

    private func restore(_ label: String, in bench: Workbench, _ version: Int) throws -> Cluster {
        try run(["rm", "-rf", bench.data])
        let cluster = try bench.restore(
            "data", "--set=\(label)", "--type=immediate", "--target-action=promote", version: version)
        try cluster.start(["archive_mode=off"])
        try cluster.waitForPromotion()
        return cluster
    }

    /// A session that does not end by itself. Its rows say which table they are of. Small and with pauses, so that WAL is archived as it comes.
    private func storm(_ session: Int, on cluster: Cluster) throws -> Running {
        var random = Seeded(UInt64(session))
        var script = ""
        for step in 0..<500 {
            let table = "storm_\(session)_\(Int.random(in: 0..<8, using: &random))"
            let rows = Int.random(in: 1...300, using: &random)
            let make =
                "CREATE TABLE IF NOT EXISTS \(table) AS SELECT '\(table)' AS of, n AS id, md5(n::text) AS text FROM generate_series(1, \(rows)) n"
            let statements = [
                "\(make); CREATE INDEX IF NOT EXISTS \(table)_id ON \(table) (id)",
                "DROP TABLE IF EXISTS \(table); \(make)", "DROP TABLE IF EXISTS \(table)", "DROP TABLE IF EXISTS \(table)",
                "\(make); TRUNCATE \(table)", "\(make); VACUUM FULL \(table)", "\(make); VACUUM \(table)",
                "\(make); UPDATE \(table) SET text = reverse(text) WHERE id % 3 = 0", "\(make); DELETE FROM \(table) WHERE id % 4 = 1",
                "\(make); INSERT INTO \(table) SELECT '\(table)', n, md5(n::text) FROM generate_series(1, \(rows)) n",
                "\(make); BEGIN; TRUNCATE \(table); INSERT INTO \(table) SELECT '\(table)', 1, 'one'; COMMIT",
                "\(make); BEGIN; DROP TABLE \(table); ROLLBACK", session == 1 && step % 5 == 0 ? "CHECKPOINT" : "REINDEX TABLE ledger",
            ]
            script += """
                \(statements.randomElement(using: &random)!);
                INSERT INTO ledger SELECT \(session), coalesce(max(step), 0) + 1 FROM ledger WHERE session = \(session);
                SELECT pg_sleep(0.0\(step % 3 + 1));

                """
        }
        let file = try cluster.folder.write("storm-\(session).sql", script)
        let psql = [cluster.installation.program("psql"), "-qX", "-h", cluster.socket, "-U", "postgres", "-d", "postgres", "-f", file]
        return try Running(["sh", "-c", "while :; do \"$@\" >/dev/null 2>&1; done", "sh"] + psql)
    }

    private func steps(_ cluster: Cluster) throws -> Int { Int(try cluster.query("SELECT count(*) FROM ledger")) ?? 0 }

    private func fingerprint(of beginning: String, _ cluster: Cluster) throws -> [Substring] {
        try cluster.fingerprint().split(separator: "\n").filter { $0.hasPrefix("public.\(beginning)_") }
    }

    /// No table has rows of another one.
    private func expectOwnRows(_ cluster: Cluster) throws {
        let names = try cluster.query("SELECT tablename FROM pg_tables WHERE tablename LIKE 'storm%' OR tablename LIKE 'still%'")
            .split(separator: "\n")
        #expect(names.count > 6)
        let foreign = names.map { "SELECT '\($0)' FROM \($0) WHERE of <> '\($0.hasPrefix("still") ? $0.suffix(1) : $0)'" }
        #expect(try cluster.query(foreign.joined(separator: " UNION ALL ")) == "")
    }
}
