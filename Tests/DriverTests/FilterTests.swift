import EndToEndSupport
import Foundation
import Testing

/// Codecs that are programs.
@Suite(.servers) struct FilterTests {
    private func bench(_ filter: String, _ kind: RepositoryKind = .posix) throws -> Workbench {
        let place = RepositoryKind(description: "\(kind) with a filter") { folder, name in
            var place = try kind.place(folder, name)
            try folder.write("plugins.conf", try Drivers.plugins(codec: filter))
            place.arguments = ["--plugins=\(folder.path("plugins.conf"))"]
            return place
        }
        return try Workbench(Format(.none), on: place, options: ["compress-type": "xz"])
    }

    @Test(arguments: [RepositoryKind.posix, .s3])
    func roundTrip(_ kind: RepositoryKind) throws {
        let bench = try bench(#"xz = filter "xz -0 -T1 -c" "xz -dc""#, kind)
        let cluster = try bench.clusterWithBackup()
        try cluster.query("INSERT INTO item VALUES (0, 'after the backup')")
        try bench.bringBack(cluster)
        #expect(try !bench.files.names("archive/demo", ending: ".xz").isEmpty)
        #expect(try !bench.files.names("backup/demo", ending: ".xz").isEmpty)
        // It is the tool's own format.
        let name = try #require(try bench.files.names("archive/demo", ending: ".xz").first)
        try bench.files.read(name).write(to: URL(fileURLWithPath: bench.folder.path("segment.xz")))
        try run(["xz", "-t", bench.folder.path("segment.xz")], asRoot: true)
    }

    /// A filter that dies, cuts off or does not exist: an error that names it, and nothing is left.
    @Test(arguments: [
        (#"xz = filter "sh -c 'head -c 1000; exit 3'" "xz -dc""#, "status 3"),
        (#"xz = filter "sh -c 'cat >/dev/null; echo torn >&2; kill -9 $$'" "xz -dc""#, "torn"),
        (#"xz = filter "head -c 10" "xz -dc""#, "before it had taken everything"),
        (#"xz = filter "no-such-program" "xz -dc""#, "no-such-program"),
    ])
    func dies(_ filter: String, _ text: String) throws {
        let bench = try bench(filter)
        let cluster = try Cluster.make(.version(15), in: bench.folder, name: "data")
        try bench.run("--no-online", "stanza-create")
        let outcome = try bench.attempt("--no-online", "--type=full", "backup")
        #expect(outcome.status > 1 && outcome.status < 126 && outcome.text.contains(text), "\(outcome)")
        #expect(try bench.info().backup.isEmpty)
        #expect(try bench.files.names("backup/demo", ending: ".xz").isEmpty)
        withExtendedLifetime(cluster) {}
    }

    /// A decoder that fails, or gives less: what was to be restored is not there, and the error names file and program.
    @Test(arguments: ["sh -c 'xz -dc | head -c 100'", "sh -c 'xz -dc; exit 7'", "false"])
    func decoderFails(_ decoder: String) throws {
        let bench = try bench(#"xz = filter "xz -0 -c" "xz -dc""#)
        let cluster = try Cluster.make(.version(15), in: bench.folder, name: "data")
        try bench.run("--no-online", "stanza-create")
        try bench.run("--no-online", "--type=full", "backup")
        try bench.folder.write("plugins.conf", try Drivers.plugins(codec: #"xz = filter "xz -0 -c" "\#(decoder)""#))
        try run(["rm", "-rf", cluster.data])
        try run(["mkdir", "-m", "700", cluster.data])
        let outcome = try bench.attempt("restore")
        #expect(outcome.status > 1 && outcome.status < 126, "\(outcome)")
        #expect(outcome.text.contains("pg_data/") || outcome.text.contains("manifest"), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: "\(cluster.data)/global/pg_control"))
    }

    @Test(arguments: [
        ("xz = filter \"xz\"", "FILTER"), ("xz = filter \"xz\" \"xz -d", "quotation mark"), ("XZ = filter a b", "'XZ' cannot be a name"),
        ("xz = exec a", "is not what a codec can be"), ("xz = filter a b\nxz = builtin", "there twice"),
    ])
    func badLine(_ line: String, _ text: String) throws {
        let bench = try bench(line)
        let outcome = try bench.attempt("info")
        #expect(outcome.status == 27, "\(outcome)")
        #expect(
            outcome.text.contains(text == "FILTER" ? "is not what a codec can be" : text) && outcome.text.contains("plugins.conf line"),
            "\(outcome)")
    }
}
