import EndToEndSupport
import Testing

/// A manifest is data from a repository that others may be able to write, with a checksum that anybody can compute: it must not lead
/// out of the places to restore to, neither into an empty folder nor, with --delta, over what is there.
@Suite(.servers)
struct HostileManifestTests {
    struct Case: Sendable, CustomStringConvertible {
        let description: String
        /// From the manifest's text and the path of a folder that must stay as it is.
        let change: @Sendable (_ text: String, _ victim: String) throws -> String
        init(_ description: String, _ change: @escaping @Sendable (String, String) throws -> String) {
            (self.description, self.change) = (description, change)
        }
    }

    private static let empty = "{\"checksum\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\",\"size\":0,\"timestamp\":1700000000}"
    private static let space =
        "pg_tblspc/16400={\"path\":\"/tmp/spec/pg/tiny/ts\",\"tablespace-id\":\"16400\",\"tablespace-name\":\"ts16400\",\"type\":\"link\"}"
    /// What hides a slash from those who read characters.
    private static let mark = "\u{301}"

    static let cases: [Case] = [
        Case("link without target") { try Forgery.add("pg_data/base/5={\"destination\":\"\($1)\"}", to: "target:link", $0) },
        Case("link that is a file, without target") {
            try Forgery.add("pg_data/postgresql.conf={\"destination\":\"\($1)/keep\"}", to: "target:link", $0)
        },
        Case("path besides pg_data") { try Forgery.add("pg_data/base={\"path\":\"\($1)\",\"type\":\"path\"}", to: "backup:target", $0) },
        Case("unknown type") { try Forgery.add("pg_data/base={\"path\":\"\($1)\",\"type\":\"folder\"}", to: "backup:target", $0) },
        Case("file of type path") {
            try Forgery.add("pg_data/postgresql.conf={\"file\":\"keep\",\"path\":\"\($1)\",\"type\":\"path\"}", to: "backup:target", $0)
        },
        Case("pg_data as a link") { text, _ in try Forgery.replace("/data\",\"type\":\"path\"}", with: "/data\",\"type\":\"link\"}", text)
        },
        Case("pg_data twice") { try Forgery.add("pg_data={\"path\":\"\($1)\",\"type\":\"path\"}", to: "backup:target", $0) },
        Case("no pg_data") { text, _ in
            try Forgery.replace("pg_data={\"path\":\"/tmp/spec/pg/tiny/data\",\"type\":\"path\"}\n", with: "", text)
        },
        Case("tablespace of another id") {
            try Forgery.replace(
                space, with: "pg_tblspc/16400={\"path\":\"\($1)\",\"tablespace-id\":\"16401\",\"tablespace-name\":\"x\",\"type\":\"link\"}",
                $0)
        },
        Case("tablespace with an id that leads out") {
            try Forgery.replace(
                space,
                with: "pg_tblspc/16400={\"path\":\"\($1)\",\"tablespace-id\":\"../../victim\",\"tablespace-name\":\"x\",\"type\":\"link\"}",
                $0)
        },
        Case("tablespace without an id") {
            try Forgery.replace(space, with: "pg_tblspc/16400={\"path\":\"\($1)\",\"type\":\"link\"}", $0)
        },
        Case("tablespace whose link leads elsewhere") {
            try Forgery.replace("{\"destination\":\"/tmp/spec/pg/tiny/ts\"}", with: "{\"destination\":\"\($1)\"}", $0)
        },
        Case("link twice") {
            let once = try Forgery.add("pg_data/base/5={\"path\":\"\($1)\",\"type\":\"link\"}", to: "backup:target", $0)
            let line = "pg_data/base/5={\"destination\":\"\($1)\"}"
            return try Forgery.add("\(line)\n\(line)", to: "target:link", once)
        },
        Case("target twice") {
            let line = "pg_data/base/5={\"path\":\"\($1)\",\"type\":\"link\"}"
            return try Forgery.add(
                "pg_data/base/5={\"destination\":\"\($1)\"}", to: "target:link",
                try Forgery.add("\(line)\n\(line)", to: "backup:target", $0))
        },
        Case("file twice") { text, _ in try Forgery.add("pg_data/PG_VERSION=\(empty)", to: "target:file", text) },
        Case("folder twice") { text, _ in try Forgery.add("pg_data/base={}", to: "target:path", text) },
        Case("file and folder") { text, _ in try Forgery.add("pg_data/base=\(empty)", to: "target:file", text) },
        Case("file behind a mark") { text, _ in try Forgery.add("pg_data/../\(mark)victim=\(empty)", to: "target:file", text) },
        Case("file below a mark") { text, _ in try Forgery.add("pg_data/base/../../victim/\(mark)evil=\(empty)", to: "target:file", text) },
        Case("folder behind a mark") { text, _ in try Forgery.add("pg_data/../\(mark)victim={}", to: "target:path", text) },
        Case("link behind a mark") { text, _ in
            try Forgery.add(
                "pg_data/../\(mark)victim={\"destination\":\"/\"}", to: "target:link",
                try Forgery.add("pg_data/../\(mark)victim={\"path\":\"/\",\"type\":\"link\"}", to: "backup:target", text))
        },
        Case("linked file with a name that leads out") {
            try Forgery.add(
                "pg_data/x={\"destination\":\"\($1)/../victim/keep\"}", to: "target:link",
                try Forgery.add("pg_data/x={\"file\":\"../victim/keep\",\"path\":\"\($1)\",\"type\":\"link\"}", to: "backup:target", $0))
        },
        // A tablespace may lie anywhere, but only its own folder in there is PostgreSQL's.
        Case("file in a tablespace but not in its folder") {
            let text = try Forgery.add("pg_tblspc/16400/keep=\(empty)", to: "target:file", $0)
            return text.replacing("/tmp/spec/pg/tiny/ts", with: $1)
        },
        Case("file in a tablespace through PGDATA") {
            let text = try Forgery.add("pg_data/pg_tblspc/16400/keep=\(empty)", to: "target:file", $0)
            return text.replacing("/tmp/spec/pg/tiny/ts", with: $1)
        },
        Case("folder in a tablespace but not in its folder") {
            let text = try Forgery.add("pg_tblspc/16400/folder={\"mode\":\"0777\"}", to: "target:path", $0)
            return text.replacing("/tmp/spec/pg/tiny/ts", with: $1)
        },
        Case("folder of another version in a tablespace") {
            let text = try Forgery.add("pg_tblspc/16400/PG_14_202107181={}", to: "target:path", $0)
            return text.replacing("/tmp/spec/pg/tiny/ts", with: $1)
        },
        Case("file in an unknown tablespace") { text, _ in
            try Forgery.add("pg_tblspc/16999/PG_15_202209061/5/1=\(empty)", to: "target:file", text)
        },
    ]

    @Test(arguments: cases)
    func isRefused(_ example: Case) throws {
        let bench = try GoldenTiny.unpack("tiny-none")
        let label = try #require(try bench.labels().first)
        let victim = try bench.folder.makeDirectory("victim", mode: "751")
        try run(["sh", "-c", "echo keep >keep && mkdir -m 705 folder && touch -d @1600000000 folder/file keep"], in: victim)
        try Forgery.manifests(of: label, in: bench) {
            try example.change($0, victim).replacing("/tmp/spec/pg/tiny/ts", with: bench.folder.path("ts"))
        }
        // What is beside the places to restore to, with mode, time and content.
        func surroundings() throws -> String {
            try run(
                [
                    "sh", "-c",
                    "find . ! -path './data/*' ! -path './ts*' ! -path './log*' ! -path './lock*' ! -name . ! -name data -printf '%p %m %s %T@ %l\\n' | sort; cat victim/keep; ls /",
                ],
                in: bench.folder.path
            ).output
        }
        for (options, fill) in [([], false), (["--delta"], true), (["--delta", "--link-all"], true), (["--force"], true)]
            as [([String], Bool)]
        {
            try run(["rm", "-rf", bench.data, bench.folder.path("ts")])
            try run(["mkdir", "-m", "700", bench.data, bench.folder.path("ts")])
            if fill {
                // The restore before, of a tablespace that led to the neighbour.
                try run(
                    ["sh", "-c", "echo 15 >PG_VERSION && mkdir -m 700 pg_tblspc base && ln -s \"$0\" pg_tblspc/16400", victim],
                    in: bench.data)
            }
            let before = try surroundings()
            let inside = try run(["find", bench.data, "-printf", "%p %m %l\n"]).output
            let outcome = try bench.attempt(["--type=none", "--set=\(label)"] + options + ["restore"])
            #expect(outcome.status == 29, "\(outcome)")
            #expect(outcome.text.contains("ERROR: [029]: "), "\(outcome)")
            #expect(try surroundings() == before, "\(options)")
            #expect(try run(["find", bench.data, "-printf", "%p %m %l\n"]).output == inside, "\(options)")
        }
    }

    /// The changes are what is refused, not the way they are made.
    @Test func signedAnewItIsAccepted() throws {
        let bench = try GoldenTiny.unpack("tiny-none")
        let label = try #require(try bench.labels().first)
        try Forgery.manifests(of: label, in: bench) { text in
            try Forgery.add("pg_data/added=\(Self.empty)", to: "target:file", text).replacing(
                "/tmp/spec/pg/tiny/ts", with: bench.folder.path("ts"))
        }
        try run(["mkdir", "-m", "700", bench.data])
        try bench.run("--type=none", "--set=\(label)", "restore")
        #expect(try run(["find", "data/added", "ts/PG_15_202209061/5/16401"], in: bench.folder.path).output.contains("added"))
    }
}

/// A small repository that pgBackRest made, to be damaged: no server is needed.
enum GoldenTiny {
    static func unpack(_ name: String, options: KeyValuePairs<String, String> = ["job-retry": "0"]) throws -> Workbench {
        let bench = try Workbench(options: options)
        try run(["tar", "xJf", "\(Checkout.golden)/\(name)/repo.tar.xz", "--no-same-owner", "-C", bench.repository])
        return bench
    }

    /// A stopped cluster of less than a megabyte.
    private static let cluster = Result { () throws -> TemporaryFolder in
        let bench = try unpack("tiny-none")
        try run(["mkdir", "-m", "700", bench.data])
        try bench.run("--type=none", "--tablespace-map=16400=\(bench.folder.path("ts"))", "restore")
        try run(["rm", "\(bench.data)/pg_tblspc/16400"])
        return bench.folder
    }

    /// Copies it to where the cluster of `bench` is, and makes the stanza.
    static func beginStopped(_ bench: Workbench) throws {
        try run(["cp", "-a", try cluster.get().path("data"), bench.data])
        try bench.run("--no-online", "stanza-create")
    }
}
