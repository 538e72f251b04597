import EndToEndSupport
import Foundation
import Testing

/// Repositories that pgBackRest made: what we say of them and what we restore from them is known byte for byte.
@Suite(.servers)
struct GoldenTests {
    struct Golden: Sendable, CustomStringConvertible {
        let description: String
        var folder: String { "\(Checkout.golden)/\(description)" }
        var isReal: Bool { description.hasPrefix("real") }
        /// Of PostgreSQL 19, with a bad page in the last backup.
        var isOf19: Bool { description == "tiny-pg19-zst" }
        var backups: Int {
            switch description {
            case "format6-interrupted-cipher": 1
            case "tiny-pg19-zst": 2
            default: isReal || description.hasPrefix("format6") ? 4 : 5
            }
        }
        var tablespace: String { isReal ? "ts1" : isOf19 ? "16389" : "16400" }
        var passphrase: String? {
            description.hasSuffix("cipher") ? "golden-pass" : description == "real-C" ? "golden-repo-pass" : nil
        }

        /// A workbench on a copy of the repository.
        func unpack() throws -> Workbench {
            let bench = try Workbench()
            if let passphrase { try bench.configure(["repo1-cipher-type": "aes-256-cbc", "repo1-cipher-pass": passphrase]) }
            try run(["tar", "xJf", "\(folder)/repo.tar.xz", "--no-same-owner", "-C", bench.repository])
            return bench
        }

        /// Where its tablespace goes: an empty folder, as the lists of what it restores to have it.
        func tablespace(in bench: Workbench) throws -> String {
            let folder = bench.folder.path(description.hasPrefix("format6") || isOf19 ? "ts/ts\(tablespace)" : "ts")
            try run(["mkdir", "-p", "-m", "700", folder])
            return folder
        }

        /// What a label restores to: path → sha1.
        func expected(_ label: String) throws -> [String: String] {
            let list =
                isReal
                ? try run(["tar", "xJOf", "\(folder)/restored.tar.xz", "restored/\(label).sha1"]).output
                : try run(["cat", "\(folder)/restored/\(label).sha1"]).output
            return sums(list)
        }
    }

    static let all = [
        "tiny-none", "tiny-gz", "tiny-bz2-cipher", "tiny-zst-bundle", "tiny-lz4-bundle-cipher", "tiny-none-bundle-block",
        "tiny-gz-bundle-block", "tiny-lz4-bundle-block", "tiny-bz2-bundle-block", "tiny-zst-block-big", "tiny-zst-bundle-block-cipher",
        "tiny-pg19-zst", "real-A", "real-B", "real-C", "format6-none", "format6-gz-cipher", "format6-zst-bundle-block-cipher",
        "format6-upgraded-cipher", "format6-rotated-cipher", "format6-interrupted-cipher",
    ].map { Golden(description: $0) }

    /// None was forgotten here.
    @Test func everyGoldenRepositoryIsTested() throws {
        let folders = try run(["sh", "-c", "cd \"$0\" && ls -d */repo.tar.xz */*/repo.tar.xz 2>/dev/null || true", Checkout.golden]).output
        #expect(
            folders.split(separator: "\n").map { String($0.dropLast("/repo.tar.xz".count)) }.sorted()
                == Self.all.map(\.description).sorted())
    }

    @Test(arguments: all)
    func info(_ golden: Golden) throws {
        let bench = try golden.unpack()
        let json = try run(["cat", "\(golden.folder)/info.json"]).output
        #expect(try bench.run("--output=json", "info").output == json)
        let text = try run(["cat", "\(golden.folder)/info.txt"]).output
        #expect(try bench.run("info").output == text)
    }

    @Test(arguments: all)
    func restore(_ golden: Golden) throws {
        let bench = try golden.unpack()
        let labels = try bench.labels()
        #expect(labels.count == golden.backups)
        for label in labels {
            try run(["rm", "-rf", bench.data, bench.folder.path("ts")])
            try run(["mkdir", "-m", "700", bench.data])
            let tablespace = try golden.tablespace(in: bench)
            var options = ["--type=none", "--set=\(label)", "--tablespace-map=\(golden.tablespace)=\(tablespace)"]
            if golden.isOf19 && label == labels.last {
                // Page 5 of a table is bad: the restore stops before pg_control is there, unless it is told not to.
                let stopped = try bench.attempt(options + ["restore"])
                #expect(stopped.status == 26, "\(stopped)")
                #expect(stopped.text.contains("invalid page checksum(s) found in file \(bench.data)/base/5/16384"), "\(stopped)")
                #expect(try attempt(["test", "-e", "\(bench.data)/global/pg_control"]).status == 1)
                #expect(try bench.run("--set=\(label)", "info").output.contains("error list: pg_data/base/5/16384"))
                options += ["--no-checksum-page-error", "--delta"]
            }
            try bench.run(options + ["restore"])
            let found = Self.sums(try run(["sh", "-c", "find data ts -type f -print0 | xargs -0 sha1sum"], in: bench.folder.path).output)
            let expected = try golden.expected(label)
            #expect(expected.count > 15)
            var wrong = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.sorted()
            // Made by the restore where there is none, and left out of these lists.
            if golden.description.hasPrefix("format6") || golden.isOf19 { wrong.removeAll { $0 == "data/postgresql.auto.conf" } }
            if golden.isReal && label == labels.last {
                // The settings of an earlier recovery are made comments, with the date of the restore.
                wrong.removeAll { $0 == "data/postgresql.auto.conf" }
                let lines = try run(["cat", "\(bench.data)/postgresql.auto.conf"]).output.split(separator: "\n")
                #expect(lines.contains { $0.hasPrefix("# Removed by ") && $0.hasSuffix("# recovery_target_name = 'rp_last'") }, "\(lines)")
                #expect(
                    lines.contains { $0.hasPrefix("# Removed by ") && $0.hasSuffix("# recovery_target_action = 'promote'") }, "\(lines)")
                #expect(lines.contains { $0.hasPrefix("restore_command = ") }, "\(lines)")
            }
            #expect(
                wrong.isEmpty, "\(golden) \(label): \(wrong.map { "\($0): \(found[$0] ?? "missing"), expected \(expected[$0] ?? "none")" })"
            )
        }
        // The segments of its archive are what their names say.
        let archived = try run(["find", "\(bench.repository)/archive/demo", "-type", "f", "-printf", "%f\n"]).output
            .split(separator: "\n").map(String.init).filter { !$0.hasPrefix("archive.info") }
        let segments = archived.filter { $0.contains("-") }
        #expect(segments.count >= 2)
        for segment in segments {
            let name = String(segment.prefix { $0 != "-" })
            try bench.run("archive-get", name, bench.folder.path("got"), in: bench.data)
            let sum = try run(["sha1sum", bench.folder.path("got")]).output.prefix(40)
            #expect(sum == segment.dropFirst(name.count + 1).prefix(40), "\(name)")
        }
        for name in archived where !name.contains("-") {
            try bench.run("archive-get", name, bench.folder.path("got"), in: bench.data)
            let text = try run(["cat", bench.folder.path("got")]).output
            #expect(name.hasSuffix(".history") ? text.hasPrefix("1\t0/") : text.hasPrefix("START WAL LOCATION: 0/"), "\(name): \(text)")
        }
    }

    /// A later restore over an earlier one: only what differs is written, and the result is the same.
    @Test(
        arguments: [
            "tiny-gz", "tiny-zst-bundle", "tiny-zst-bundle-block-cipher", "tiny-zst-block-big", "format6-zst-bundle-block-cipher",
            "format6-upgraded-cipher",
        ].map { Golden(description: $0) })
    func delta(_ golden: Golden) throws {
        let bench = try golden.unpack()
        let labels = try bench.labels()
        try run(["mkdir", "-m", "700", bench.data])
        let tablespace = try golden.tablespace(in: bench)
        for (index, label) in (labels + labels.reversed()).enumerated() {
            try bench.run(
                ["--type=none", "--set=\(label)", "--tablespace-map=16400=\(tablespace)"] + (index > 0 ? ["--delta"] : []) + [
                    "restore"
                ])
            let found = Self.sums(try run(["sh", "-c", "find data ts -type f -print0 | xargs -0 sha1sum"], in: bench.folder.path).output)
            var expected = try golden.expected(label)
            if golden.description.hasPrefix("format6") { expected["data/postgresql.auto.conf"] = found["data/postgresql.auto.conf"] }
            #expect(found == expected, "\(golden) \(label)")
        }
    }

    struct Recovery: Sendable, CustomStringConvertible {
        let description: String
        /// Which of the four backups; nil: the latest.
        let backup: Int?
        let options: [String]
        /// Rows of t1 that say 'after incr', 'diff', 'incr', 'timeline 2'; rows of t2 and of the unlogged table.
        let rows: String
    }

    static let recoveries = [
        Recovery(description: "to the end of timeline 2", backup: nil, options: [], rows: "2000|1|11|6|1|501|0"),
        Recovery(description: "the full backup to the end of timeline 2", backup: 0, options: [], rows: "2000|1|11|6|1|501|0"),
        Recovery(
            description: "to a name before the incr", backup: 1, options: ["--type=name", "--target=rp_incr", "--target-action=promote"],
            rows: "2000|0|11|6|0|501|0"),
        Recovery(
            description: "along timeline 1", backup: 2, options: ["--target-timeline=1"], rows: "2000|1|11|6|0|502|0"),
    ]

    /// The server accepts what we restore, and recovers with what we get from the archive.
    @Test(arguments: all.filter(\.isReal), recoveries)
    func recover(_ golden: Golden, _ recovery: Recovery) throws {
        let bench = try golden.unpack()
        let labels = try bench.labels()
        let options = recovery.options + (recovery.backup.map { ["--set=\(labels[$0])"] } ?? [])
        let cluster = try Cluster(.version(15), in: bench.folder, name: "data")
        try run(["mkdir", "-m", "700", bench.data, bench.folder.path("ts")])
        try bench.run(options + ["--tablespace-map=ts1=\(bench.folder.path("ts"))", "restore"])
        try cluster.start(["archive_mode=off"])
        try cluster.waitForPromotion()
        #expect(
            try cluster.query(
                """
                SELECT count(*), count(*) FILTER (WHERE v = 'after incr'), count(*) FILTER (WHERE v = 'diff'), count(*) FILTER (WHERE v = 'incr'),
                count(*) FILTER (WHERE v = 'timeline 2'), (SELECT count(*) FROM t2), (SELECT count(*) FROM u1) FROM t1
                """) == recovery.rows)
    }

    static func sums(_ list: String) -> [String: String] {
        Dictionary(uniqueKeysWithValues: list.split(separator: "\n").map { (String($0.dropFirst(42)), String($0.prefix(40))) })
    }
}
