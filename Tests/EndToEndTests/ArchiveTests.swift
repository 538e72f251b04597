import EndToEndSupport
import Testing

/// A stopped cluster with WAL segments in pg_wal; every test works on a copy, so nothing here needs a server.
enum Segments {
    static let source = Result { () throws -> (folder: TemporaryFolder, names: [String]) in
        let folder = try TemporaryFolder()
        let cluster = try Cluster.make(.version(15), in: folder, name: "data")
        try cluster.configure(["wal_keep_size": "'64MB'"])
        try cluster.start()
        try cluster.query("CREATE TABLE item AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 40000) n")
        let names = try cluster.query(
            "SELECT name FROM pg_ls_waldir() WHERE name < pg_walfile_name(pg_switch_wal()) AND name ~ '^[0-9A-F]{24}$' ORDER BY 1")
        try cluster.stop()
        return (folder, names.split(separator: "\n").map(String.init))
    }

    /// A workbench whose data folder holds the segments and whose stanza exists.
    static func workbench(
        _ format: Format = Format(.zst), on kind: RepositoryKind = .posix, and second: RepositoryKind? = nil
    ) throws -> (bench: Workbench, names: [String]) {
        let source = try source.get()
        let bench = try Workbench(format, on: kind, and: second)
        try run(["cp", "-a", source.folder.path("data"), bench.data])
        try bench.run("--no-online", "stanza-create")
        return (bench, source.names)
    }
}

extension Workbench {
    func push(_ name: String) throws -> Outcome { try attempt("archive-push", "pg_wal/\(name)", in: data) }

    /// Fetches a file of the archive; nil when the archive does not have it.
    func get(_ name: String) throws -> String? {
        let outcome = try attempt("archive-get", name, folder.path("got-\(name)"), in: data)
        guard outcome.status < 2 else { throw Failure("\(outcome)") }
        return outcome.status == 0 ? folder.path("got-\(name)") : nil
    }

    func isSame(_ name: String, as path: String) throws -> Bool {
        try EndToEndSupport.attempt(["cmp", "\(data)/pg_wal/\(name)", path]).status == 0
    }

    /// The names of the files in the archive.
    func archived() throws -> [String] {
        try files.names("archive/demo").map { String($0[$0.index(after: $0.lastIndex(of: "/")!)...]) }.sorted()
    }

    /// Where a segment is in the first repository.
    func stored(_ name: String) throws -> String {
        let found = try files.names("archive/demo").filter { $0.contains("/\(name)-") }
        guard found.count == 1 else { throw Failure("\(name) is there \(found.count) times") }
        return found[0]
    }
}

@Suite(.servers)
struct ArchiveTests {
    @Test(arguments: RepositoryCase.table(.pushAndGet, Format.all, elsewhere: [Format(.zst, .aes), Format(.gz)]))
    func pushAndGet(_ example: RepositoryCase) throws {
        let (bench, names) = try Segments.workbench(example.format, on: example.kind)
        #expect(names.count > 3)
        for name in names.prefix(2) {
            #expect(try bench.push(name).status == 0)
            #expect(try bench.push(name).status == 0) // again: the same content
            let got = try #require(try bench.get(name))
            #expect(try bench.isSame(name, as: got))
            let stored = try bench.archived().filter { $0.hasPrefix(name) }
            #expect(stored.count == 1)
            #expect(stored.first?.dropFirst(24 + 1 + 40) == example.format.codec.suffix[...])
        }
        #expect(try bench.get(names[3]) == nil)

        // Neither of these is a segment, and they are archived too.
        for name in ["00000002.history", "\(names[2]).partial", "\(names[1]).00000028.backup"] {
            try run(["sh", "-c", "head -c 100 \"$0\" >\"$1\"", "\(bench.data)/pg_wal/\(names[0])", "\(bench.data)/pg_wal/\(name)"])
            if name.hasSuffix(".partial") { try run(["cp", "\(bench.data)/pg_wal/\(names[2])", "\(bench.data)/pg_wal/\(name)"]) }
            let outcome = try bench.push(name)
            #expect(outcome.status == 0, "\(outcome)")
            let got = try #require(try bench.get(name))
            #expect(try bench.isSame(name, as: got))
        }
        #expect(try bench.get("00000003.history") == nil)
        #expect(try bench.get(names[2]) == nil) // its partial form is not it
        #expect(try bench.info().archive.first?.min == names[0])
        #expect(try bench.info().archive.first?.max == names[1])
    }

    /// An absolute path does as well, and a segment that is in the archive with other content is never replaced.
    @Test(arguments: Feature.differentContent.kinds)
    func differentContent(_ kind: RepositoryKind) throws {
        let (bench, names) = try Segments.workbench(on: kind)
        let segment = "\(bench.data)/pg_wal/\(names[0])"
        #expect(try bench.attempt("archive-push", segment).status == 0)
        try run(["sh", "-c", "printf x | dd of=\"$0\" bs=1 seek=100000 conv=notrunc", segment])
        let outcome = try bench.attempt("archive-push", segment)
        #expect(outcome.status == 45)
        #expect(outcome.text.contains(names[0]), "\(outcome)")
        let got = try #require(try bench.get(names[0]))
        #expect(try !bench.isSame(names[0], as: got))
    }

    /// Two primaries that archive to one place: nobody can say which of two segments is right, so recovery gets neither.
    @Test(arguments: Feature.duplicates.kinds)
    func duplicates(_ kind: RepositoryKind) throws {
        let (bench, names) = try Segments.workbench(on: kind)
        #expect(try bench.push(names[0]).status == 0)
        let stored = try bench.stored(names[0])
        let other = stored.replacing(/-[0-9a-f]{40}/, with: "-" + String(repeating: "0", count: 40))
        #expect(other != stored)
        try bench.files.copy(stored, to: other)
        for outcome in [
            try bench.attempt("archive-get", names[0], bench.folder.path("got"), in: bench.data), try bench.push(names[0]),
        ] {
            #expect([45, 101, 104, 200].contains(outcome.status), "\(outcome)")
            #expect(outcome.text.contains("duplicates found") && outcome.text.contains(names[0]), "\(outcome)")
        }
        #expect(try attempt(["test", "-e", bench.folder.path("got")]).status == 1)
        try bench.files.remove(other)
        let got = try #require(try bench.get(names[0]))
        #expect(try bench.isSame(names[0], as: got))
    }

    @Test(arguments: Feature.archiveOfAnother.kinds)
    func otherCluster(_ kind: RepositoryKind) throws {
        let (bench, names) = try Segments.workbench(on: kind)
        let other = try Cluster.make(.version(15), in: bench.folder, name: "other", fresh: true)
        // Its WAL does not belong to this stanza,
        let segment = try run(["ls", "\(other.data)/pg_wal"]).output.split(separator: "\n").map(String.init).first { $0.count == 24 }
        let outcome = try bench.attempt("archive-push", "\(other.data)/pg_wal/\(try #require(segment))")
        #expect(outcome.status == 44, "\(outcome)")
        #expect(try bench.archived().allSatisfy { $0.hasPrefix("archive.info") })
        // nor does the cluster itself: neither for push nor for get.
        try run(["cp", "\(other.data)/global/pg_control", "\(bench.data)/global/pg_control"])
        let push = try bench.push(names[0])
        #expect([44, 103].contains(push.status), "\(push)")
        #expect(push.text.contains("[044]") || push.text.contains("ArchiveMismatchError"), "\(push)")
        #expect(try bench.archived().allSatisfy { $0.hasPrefix("archive.info") })
        let get = try bench.attempt("archive-get", names[0], bench.folder.path("got"), in: bench.data)
        #expect(get.status == 200, "\(get)")
    }

    /// One good copy of archive.info is enough; without any, PostgreSQL must keep its WAL.
    @Test(arguments: Feature.damagedArchiveInfo.kinds)
    func damagedArchiveInfo(_ kind: RepositoryKind) throws {
        let (bench, names) = try Segments.workbench(on: kind)
        let file = "archive/demo/archive.info"
        try bench.files.replace("db-version=", with: "db-versionx=", in: file)
        #expect(try bench.push(names[0]).status == 0)
        #expect(try bench.get(names[0]) != nil)
        #expect(try bench.info().status.code != 99)
        try bench.files.change("\(file).copy") { $0 = $0.prefix(20) }
        let push = try bench.push(names[1])
        #expect(push.status > 1 && push.status < 126, "\(push)")
        #expect(push.text.contains("archive.info"), "\(push)")
        let get = try bench.attempt("archive-get", names[0], bench.folder.path("got"), in: bench.data)
        #expect(get.status == 200, "\(get)")
    }
}
