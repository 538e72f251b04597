import EndToEndSupport
import Testing

/// Links and tablespaces need places of their own: two in one place, or one in PGDATA, would mix their files.
@Suite(.servers)
struct MappedPlacesTests {
    /// `@` stands for a folder beside PGDATA, `#` for PGDATA. The backup has the tablespaces 16400 and 16401.
    @Test(arguments: [
        ["--link-map=base/1=@/x", "--link-map=base/5=@/x"], ["--link-map=base/1=@/x", "--link-map=base/5=@/x/"],
        ["--link-map=base/1=@/x", "--link-map=base/5=@/./y/../x"], ["--link-map=base/1=@/x", "--link-map=base/5=@/x/below"],
        ["--link-map=base/1=@/x/below", "--link-map=base/5=@/x"], ["--link-map=base/5=#"], ["--link-map=base/5=#/"],
        ["--link-map=base/5=#/other"], ["--link-map=base/5=#/base/5"], ["--link-map=base/5=../other"], ["--link-map=base/5=@/../data/x"],
        ["--link-map=postgresql.conf=#/other.conf"], ["--link-map=postgresql.conf=other.d/file.conf"],
        ["--link-map=postgresql.conf=@/x.conf", "--link-map=postgresql.auto.conf=@/x.conf"],
        ["--link-map=base/5=@/x", "--tablespace-map=16400=@/x"], ["--tablespace-map=16400=@/x", "--tablespace-map=16401=@/x"],
        ["--tablespace-map=16400=@/x", "--tablespace-map=16401=@/x/below"], ["--tablespace-map=16400=#/ts"], ["--tablespace-map=16400=#"],
        ["--tablespace-map=16400=@/x", "--tablespace-map=16401=@/x//"],
    ])
    func isRefused(_ maps: [String]) throws {
        let (bench, options) = try scene()
        let folder = bench.folder.path
        let mapped = maps.map { $0.replacing("@", with: folder + "/places").replacing("#", with: bench.data) }
        let before = try run(["sh", "-c", "ls -AR data; ls"], in: folder).output
        // The last word on an option that is there twice: those of the case come first.
        let free = options.filter { option in !mapped.contains { $0.hasPrefix(option.prefix(22)) } }
        let outcome = try bench.attempt(mapped + free + ["restore"])
        #expect(outcome.status == 70, "\(outcome)")
        #expect(outcome.text.contains("destination"), "\(outcome)")
        #expect(try run(["sh", "-c", "ls -AR data; ls"], in: folder).output == before)
    }

    /// Neighbours are no trouble, whatever their names begin with, nor are two files in one folder.
    @Test func isAccepted() throws {
        let (bench, options) = try scene()
        let place = bench.folder.path("places")
        try bench.run(
            options + [
                "--link-map=base/1=\(place)/x", "--link-map=base/5=\(place)/xy", "--link-map=postgresql.conf=\(place)/conf/a.conf",
                "--link-map=postgresql.auto.conf=\(place)/conf/b.conf", "--link-map=pg_xact=\(bench.data)-xact", "restore",
            ])
        let found = try run(
            ["sh", "-c", "cat base/1/PG_VERSION base/5/PG_VERSION; ls \"$0\"/conf; readlink pg_xact base/5", bench.folder.path("places")],
            in: bench.data)
        #expect(found.output.contains("a.conf\nb.conf\n\(bench.data)-xact\n\(place)/xy\n"), "\(found)")
    }

    private func scene() throws -> (Workbench, [String]) {
        let bench = try GoldenTiny.unpack("tiny-none")
        let label = try #require(try bench.labels().first)
        try Forgery.manifests(of: label, in: bench) { text in
            var text = try Forgery.add(
                "pg_tblspc/16401={\"path\":\"/second\",\"tablespace-id\":\"16401\",\"tablespace-name\":\"second\",\"type\":\"link\"}",
                to: "backup:target", text)
            text = try Forgery.add("pg_data/pg_tblspc/16401={\"destination\":\"/second\"}", to: "target:link", text)
            return try Forgery.add("pg_tblspc/16401={}\npg_tblspc/16401/PG_15_202209061={}", to: "target:path", text)
        }
        try run(["mkdir", "-m", "700", bench.data])
        return (
            bench,
            [
                "--type=none", "--set=\(label)", "--tablespace-map=16400=\(bench.folder.path("ts"))",
                "--tablespace-map=16401=\(bench.folder.path("ts2"))",
            ]
        )
    }
}
