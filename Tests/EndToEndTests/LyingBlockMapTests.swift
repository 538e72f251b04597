import EndToEndSupport
import Foundation
import Testing

/// Block maps that are maps and say what is not so: a restore tells, and no later backup is made onto what they say.
@Suite(.servers)
struct LyingBlockMapTests {
    /// A map of blocks of which none was stored before: one super block. Written here, by repository-format.md section 6.3.
    struct Map {
        var reference: UInt64 = 0
        var bundle: UInt64?
        var offset: UInt64?
        var stored: UInt64
        var plainBlocks: UInt64
        /// Bytes besides the whole blocks.
        var plainRest: UInt64 = 0
        var checksums: Data

        var bytes: Data {
            var data = Data([0])
            func add(_ value: UInt64) {
                var value = value
                while value >= 0x80 {
                    data.append(UInt8(value & 0x7F) | 0x80)
                    value >>= 7
                }
                data.append(UInt8(value))
            }
            add(reference << 3 | 1 | (bundle == nil ? 0 : 2) | (offset == nil ? 0 : 4))
            if let bundle { add(bundle) }
            if let offset { add(offset) }
            add(stored << 3 | 1 | 2)
            add(plainBlocks << 1 | (plainRest > 0 ? 1 : 0))
            if plainRest > 0 { add(plainRest) }
            return data + checksums
        }
    }

    struct Lie: Sendable, CustomStringConvertible {
        let description: String
        let words: String
        /// Of a backup that has the reference too.
        let wordsLater: String
        let tell: @Sendable (inout Map) -> Void
        init(_ description: String, _ words: String, later: String? = nil, _ tell: @escaping @Sendable (inout Map) -> Void) {
            (self.description, self.words, wordsLater, self.tell) = (description, words, later ?? words, tell)
        }
    }

    static let lies = [
        Lie("a block less of content", "block map has 74 blocks") { ($0.plainBlocks, $0.checksums) = (74, $0.checksums.dropLast(6)) },
        Lie("a block more of content", "block map has 76 blocks") {
            ($0.plainBlocks, $0.checksums) = (76, $0.checksums + Data(repeating: 1, count: 6))
        },
        Lie("less content", "super block of 614399 bytes") { ($0.plainBlocks, $0.plainRest) = (74, 8191) },
        Lie("less stored", "does not end where") { $0.stored -= 5 },
        Lie("more stored", "does not end where") { $0.stored += 5 },
        Lie("far more stored", "does not end where") { $0.stored += 1 << 40 },
        Lie("offset in the object", "where its backup stored none") { $0.offset = 8 },
        Lie("offset out of the object", "where its backup stored none") { $0.offset = 1 << 40 },
        Lie("in a bundle", "where its backup stored none") { $0.bundle = 1 },
        Lie("of a backup that is none", "block map is damaged", later: "later than its own") { $0.reference = 1 },
        Lie("of a backup far beyond", "block map is damaged") { $0.reference = 1 << 40 },
    ]

    /// A stopped cluster with a file in blocks, and a full backup of it.
    private func scene() throws -> (bench: Workbench, object: String, map: Map) {
        let bench = try Workbench(
            Format(.zst), options: ["repo1-bundle": "y", "repo1-block": "y", "repo1-bundle-limit": "64KiB", "job-retry": "0"])
        try GoldenTiny.beginStopped(bench)
        try run(["sh", "-ec", "head -c 614400 /dev/urandom >large; chmod 600 large"], in: bench.data)
        try bench.run("--no-online", "--type=full", "backup")
        let label = try #require(try bench.labels().first)
        let object = "backup/demo/\(label)/pg_data/large.pgbi"
        let entry = try run(["grep", "^pg_data/large=", "\(bench.repository)/backup/demo/\(label)/backup.manifest"]).output
        let size = try #require(entry.firstMatch(of: /"bim":([0-9]+)/).flatMap { Int($0.1) })
        let content = try bench.files.read(object)
        let map = Map(
            stored: UInt64(content.count - size), plainBlocks: 75, checksums: Data(content.suffix(75 * 6)))
        #expect(map.bytes == content.suffix(size), "the map that is written here is not the one that was written")
        return (bench, object, map)
    }

    /// The manifest gets the new sizes, or the lie would be found by them.
    private func put(_ map: Map, _ scene: (bench: Workbench, object: String, map: Map)) throws {
        let (bench, object, honest) = scene
        let content = try bench.files.read(object).prefix(Int(honest.stored))
        try bench.files.write(object, content + map.bytes)
        let label = try #require(try bench.labels().first)
        try Forgery.manifests(of: label, in: bench) { text in
            let line = try #require(text.firstMatch(of: /pg_data\/large=.*/)).0
            let changed = line.replacing(/"bim":[0-9]+/, with: "\"bim\":\(map.bytes.count)")
                .replacing(/"repo-size":[0-9]+/, with: "\"repo-size\":\(content.count + map.bytes.count)")
            return text.replacing(line, with: changed)
        }
    }

    @Test func isTold() throws {
        let scene = try scene()
        let bench = scene.bench
        for lie in Self.lies {
            var map = scene.map
            lie.tell(&map)
            try put(map, scene)
            try run(["sh", "-ec", "rm -rf \"$0\"; mkdir -m 700 \"$0\"", bench.folder.path("restored")])
            let outcome = try bench.attempt("--pg1-path=\(bench.folder.path("restored"))", "--type=none", "restore")
            #expect(outcome.status == 29, "\(lie): \(outcome)")
            #expect(outcome.text.contains("unable to read block map for 'pg_data/large'"), "\(lie): \(outcome)")
            #expect(outcome.text.contains(lie.words) && outcome.text.contains("restore another backup with --set"), "\(lie): \(outcome)")
            #expect(try attempt(["test", "-e", "\(bench.folder.path("restored"))/global/pg_control"]).status == 1)
        }
    }

    /// The next backup stores the file anew, and comes back.
    @Test func isNothingToBuildOn() throws {
        let scene = try scene()
        let bench = scene.bench
        let full = try #require(try bench.labels().first)
        for lie in Self.lies {
            var map = scene.map
            lie.tell(&map)
            try put(map, scene)
            try run(["sh", "-ec", "printf '\(lie)' | dd of=large bs=1 seek=100000 conv=notrunc 2>/dev/null"], in: bench.data)
            let outcome = try bench.run("--no-online", "--type=diff", "backup")
            #expect(outcome.text.contains("unable to read block map for 'pg_data/large'"), "\(lie): \(outcome)")
            #expect(
                outcome.text.contains(lie.wordsLater) && outcome.text.contains("all blocks of the file are stored anew"),
                "\(lie): \(outcome)")
            try run(["sh", "-ec", "rm -rf \"$0\"; mkdir -m 700 \"$0\"", bench.folder.path("restored")])
            try bench.run("--pg1-path=\(bench.folder.path("restored"))", "--type=none", "restore")
            try run(["cmp", "\(bench.data)/large", "\(bench.folder.path("restored"))/large"])
        }
        // Other checksums of blocks are no harm: all of them are stored anew.
        var map = scene.map
        map.checksums = Data(map.checksums.map { $0 ^ 1 })
        try put(map, scene)
        try bench.run("--pg1-path=\(bench.folder.path("restored"))", "--type=none", "--set=\(full)", "--delta", "restore")
        try run(["sh", "-ec", "printf more | dd of=large bs=1 seek=200000 conv=notrunc 2>/dev/null"], in: bench.data)
        try bench.run("--no-online", "--type=diff", "backup")
        let label = try #require(try bench.labels().last)
        #expect(try bench.files.read("backup/demo/\(label)/pg_data/large.pgbi").count > 600_000)
        try bench.run("--pg1-path=\(bench.folder.path("restored"))", "--type=none", "--delta", "restore")
        try run(["cmp", "\(bench.data)/large", "\(bench.folder.path("restored"))/large"])
    }
}
