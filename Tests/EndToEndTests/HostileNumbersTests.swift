import EndToEndSupport
import Foundation
import Testing

/// Numbers of a repository or of a lock file are what somebody wrote there: whatever they are, the program ends with an error that
/// names the thing, or does its work; it never crashes.
@Suite(.servers)
struct HostileNumbersTests {
    /// One of the two block-incremental files of a golden backup, as its manifest has it.
    private static let file = "pg_data/base/5/16384"
    private static let entry =
        "\"bi\":1,\"bim\":462,\"bni\":1,\"bno\":98440,\"checksum\":\"19b64151af72edb7d80d9cbbf9be7b816753fa9c\",\"mode\":\"0644\",\"rck\":\"2698855395a01bd77a4f0139eed1d6385e9eeb2b\",\"repo-size\":614862,\"size\":614400,\"timestamp\":1795168800"

    struct Case: Sendable, CustomStringConvertible {
        let old: String
        let new: String
        /// Nil: any.
        let status: Int32?
        var description: String { "\(old) → \(new)" }
        init(_ old: String, _ new: String, _ status: Int32? = 29) { (self.old, self.new, self.status) = (old, new, status) }
    }

    static let cases: [Case] = [
        Case("\"bi\":1,", "\"bi\":18446744073709551615,"), Case("\"bi\":1,", "\"bi\":2251799813685249,"), Case("\"bi\":1,", "\"bi\":-1,"),
        Case("\"bi\":1,", "\"bi\":0,"), Case("\"bi\":1,", ""), Case("\"bi\":1,", "\"bi\":65537,"), Case("\"bi\":1,", "\"bi\":65536,"),
        Case("\"bi\":1,", "\"bi\":7,"),
        Case("\"bi\":1,", "\"bi\":1,\"bic\":0,"), Case("\"bi\":1,", "\"bi\":1,\"bic\":-1,"), Case("\"bi\":1,", "\"bi\":1,\"bic\":99,"),
        Case("\"bi\":1,", "\"bi\":1,\"bic\":9223372036854775807,"), Case("\"bi\":1,", "\"bi\":1,\"bic\":16,"),
        Case("\"bim\":462", "\"bim\":614863"), Case("\"bim\":462", "\"bim\":18446744073709551615"), Case("\"bim\":462", "\"bim\":614862"),
        Case("\"bim\":462", "\"bim\":0"), Case("\"bim\":462", "\"bim\":461"), Case("\"bim\":462", "\"bim\":463"),
        Case("\"bno\":98440", "\"bno\":18446744073709551615"), Case("\"bno\":98440", "\"bno\":9223372036854775807"),
        Case("\"bno\":98440", "\"bno\":18446744073708936754"), Case("\"bno\":98440", "\"bno\":1152921504606846976", nil),
        Case("\"bno\":98440", "\"bno\":98441"),
        Case("\"bni\":1", "\"bni\":18446744073709551615"), Case("\"bni\":1", "\"bni\":999", nil), Case("\"bni\":1", "\"bni\":2", nil),
        Case("\"repo-size\":614862", "\"repo-size\":18446744073709551615"),
        Case("\"repo-size\":614862", "\"repo-size\":9223372036854775807"),
        Case("\"repo-size\":614862", "\"repo-size\":576460752303423488", nil), Case("\"repo-size\":614862", "\"repo-size\":462"),
        Case("\"size\":614400", "\"size\":18446744073709551615"), Case("\"size\":614400", "\"size\":1152921504606846976"),
        Case("\"size\":614400", "\"size\":576460752303423488", nil), Case("\"size\":614400", "\"size\":0", nil),
        Case("\"size\":614400", "\"size\":1", nil),
        Case("\"size\":614400", "\"size\":-1"), Case("\"size\":614400", "\"size\":18446744073709551616"),
        Case("\"timestamp\":1795168800", "\"timestamp\":9223372036854775807", nil),
        Case("\"timestamp\":1795168800", "\"timestamp\":-9223372036854775807", nil),
        Case("\"mode\":\"0644\"", "\"mode\":\"77777777777\""), Case("\"mode\":\"0644\"", "\"mode\":\"4294967295\""),
    ]

    /// Damaged numbers can also be found by a checksum (26), a short file (26, 29) or a missing one (55).
    private func expectNoCrash(_ outcome: Outcome, _ status: Int32?, names name: String? = nil) {
        #expect(outcome.status < 126, "\(outcome)")
        if let status { #expect([status, 26, 95].contains(outcome.status), "\(outcome)") }
        if outcome.status != 0 {
            #expect(outcome.text.contains("ERROR: ["), "\(outcome)")
            if let name { #expect(outcome.text.contains(name), "\(outcome)") }
        }
    }

    @Test func manifests() throws {
        let bench = try GoldenTiny.unpack("tiny-none-bundle-block")
        let label = try #require(try bench.labels().first)
        let original = try run(["cat", "\(bench.repository)/backup/demo/\(label)/backup.manifest"]).output
        let restore = ["--type=none", "--set=\(label)", "--tablespace-map=16400=\(bench.folder.path("ts"))", "restore"]
        for example in Self.cases {
            try run(["rm", "-rf", bench.data, bench.folder.path("ts")])
            try run(["mkdir", "-m", "700", bench.data, bench.folder.path("ts")])
            try Forgery.manifests(of: label, in: bench) { _ in
                try Forgery.replace(Self.entry, with: try Forgery.replace(example.old, with: example.new, Self.entry), original)
            }
            let outcome = try bench.attempt(restore)
            // That all files together do not fit is said before any of them is looked at.
            let isGeneral = outcome.text.contains("is not a section or an entry") || outcome.text.contains("are needed on its file system")
            expectNoCrash(outcome, example.status, names: isGeneral ? nil : "16384")
            if outcome.status != 0 { #expect(try attempt(["test", "-e", "\(bench.data)/global/pg_control"]).status == 1) }
            expectNoCrash(try bench.attempt("--set=\(label)", "info"), 0)
        }
    }

    /// Each may be large, their sum may not.
    @Test func sums() throws {
        let bench = try GoldenTiny.unpack("tiny-none-bundle-block")
        let label = try #require(try bench.labels().first)
        try Forgery.manifests(of: label, in: bench) { text in
            text.replacing("\"size\":16384", with: "\"size\":1152921504606846975").replacing(
                "\"size\":24576", with: "\"size\":1152921504606846975")
        }
        try run(["mkdir", "-m", "700", bench.data])
        expectNoCrash(try bench.attempt("--type=none", "--set=\(label)", "restore"), 29)
        expectNoCrash(try bench.attempt("--set=\(label)", "info"), 0)
    }

    /// Times of a backup that no calendar has.
    @Test(arguments: ["9223372036854775807", "-9223372036854775807", "67768036191676800", "18446744073709551615"])
    func times(_ time: String) throws {
        let bench = try GoldenTiny.unpack("tiny-none")
        let label = try #require(try bench.labels().first)
        try Forgery.manifests(of: label, in: bench) { $0.replacing("=1795232391\n", with: "=\(time)\n") }
        for suffix in ["", ".copy"] {
            let file = "\(bench.repository)/backup/demo/backup.info\(suffix)"
            let text = try run(["cat", file]).output
            let forged = text.replacing("\"backup-timestamp-stop\":1795232391", with: "\"backup-timestamp-stop\":\(time)")
                .replacing("\"backup-timestamp-start\":1795232391", with: "\"backup-timestamp-start\":\(time)")
            #expect(forged != text)
            try run(["cp", try bench.folder.write("forged", try Forgery.sign(forged)), file])
        }
        for output in ["text", "json"] { expectNoCrash(try bench.attempt("--output=\(output)", "info"), 0) }
        try run(["mkdir", "-m", "700", bench.data])
        let place = "--tablespace-map=16400=\(bench.folder.path("ts"))"
        expectNoCrash(try bench.attempt("--type=none", "--set=\(label)", place, "restore"), nil)
        expectNoCrash(try bench.attempt("--type=none", "--set=\(label)", place, "--delta", "--force", "restore"), nil)
        expectNoCrash(try bench.attempt("--type=time", "--target=2026-11-22 00:00:00+00", place, "--delta", "restore"), nil)
    }

    /// Block maps with random damage, in a repository that is neither compressed nor encrypted.
    @Test(arguments: [31, 32] as [UInt64])
    func blockMaps(_ seed: UInt64) throws {
        let bench = try GoldenTiny.unpack("tiny-none-bundle-block")
        let label = try #require(try bench.labels().first)
        let bundle = "\(bench.repository)/backup/demo/\(label)/bundle/1"
        try run(["cp", bundle, bench.folder.path("bundle")])
        var random = Seeded(seed)
        for _ in 0..<12 {
            try run(["rm", "-rf", bench.data, bench.folder.path("ts")])
            try run(["mkdir", "-m", "700", bench.data, bench.folder.path("ts")])
            try run(["cp", bench.folder.path("bundle"), bundle])
            // The head of the map, where the numbers are.
            let at = 98440 + 614400 + Int.random(in: 0..<14, using: &random)
            let damage = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                String(format: "\\%03o", Int.random(in: 0...3, using: &random) == 0 ? 255 : Int.random(in: 0...255, using: &random))
            }
            try run(["sh", "-c", "printf \"$1\" | dd of=\"$0\" bs=1 seek=\(at) conv=notrunc 2>/dev/null", bundle, damage.joined()])
            let outcome = try bench.attempt("--type=none", "--set=\(label)", "--tablespace-map=16400=\(bench.folder.path("ts"))", "restore")
            expectNoCrash(outcome, nil, names: "16384")
            if outcome.status == 0 {
                #expect(try run(["sha1sum", "\(bench.data)/base/5/16384"]).output.hasPrefix("19b64151af72edb7d80d9cbbf9be7b816753fa9c"))
            }
        }
    }

    /// `info` looks at the lock file of whoever runs, or says that he does.
    @Test(arguments: [
        "{\"execId\":\"1-x\",\"pid\":1,\"sz\":10,\"szCplt\":18446744073709551615}",
        "{\"execId\":\"1-x\",\"pid\":1,\"sz\":18446744073709551615,\"szCplt\":18446744073709551615}",
        "{\"execId\":\"1-x\",\"pid\":1,\"sz\":18446744073709551615,\"szCplt\":0}", "{\"sz\":1}", "{\"sz\":-1,\"szCplt\":-1}", "", "no JSON",
        "{\"sz\":\"1\",\"szCplt\":[]}", "\u{0}\u{0}",
    ])
    func lockFiles(_ content: String) throws {
        let bench = try GoldenTiny.unpack("tiny-none")
        // Two repositories, so that there is a sum.
        try run(["cp", "-a", bench.repository, bench.folder.path("second")])
        try bench.configure(["repo2-path": bench.folder.path("second")])
        var holders: [Running] = []
        for name in ["backup-1", "backup-2", "restore-1"] {
            let file = try bench.folder.write("lock/demo-\(name).lock", content)
            holders.append(
                try Running(["flock", "--exclusive", file, "sh", "-c", "touch \"$0\" && exec tail -f /dev/null", "\(file).held"]))
            try eventually("\(name) is locked") { FileManager.default.fileExists(atPath: "\(file).held") ? true : nil }
        }
        for output in ["text", "json"] {
            let outcome = try bench.attempt("--output=\(output)", "info")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains(output == "text" ? "running" : "\"held\":true"), "\(outcome)")
        }
        #expect(try bench.attempt("--output=text", "--detail-level=progress", "info").status == 0)
        withExtendedLifetime(holders) {}
    }
}
