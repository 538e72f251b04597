import EndToEndSupport
import Foundation
import Testing

/// The umask of the caller: what the program makes does not depend on it unless that is wanted, and programs that it starts have it.
@Suite(.servers) struct UmaskTests {
    private func bench() throws -> Workbench {
        let place = RepositoryKind(description: "posix with a filter") { folder, name in
            var place = try RepositoryKind.posix.place(folder, name)
            try folder.write("filter", "umask >>'\(folder.path("umasks"))'; touch '\(folder.path("made-by-filter"))'; cat")
            try folder.write("plugins.conf", try Drivers.plugins(codec: "own = filter \"sh \(folder.path("filter"))\" \"cat\""))
            place.arguments = ["--plugins=\(folder.path("plugins.conf"))"]
            return place
        }
        let bench = try Workbench(Format(.none), on: place, options: ["compress-type": "own", "log-level-file": "info"])
        _ = try Cluster.make(.version(15), in: bench.folder, name: "data")
        return bench
    }

    private func call(_ bench: Workbench, _ umask: String, _ arguments: String...) throws {
        let words = ["sh", "-c", "umask \(umask); exec \"$@\"", "sh"] + bench.command(arguments)
        let outcome = try attempt(words, in: bench.data)
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
    }

    /// The modes of folders and files below a place, each once.
    private func modes(_ path: String) throws -> Set<String> {
        Set(try run(["find", path, "-mindepth", "1", "-printf", "%y %m\n"]).output.split(separator: "\n").map(String.init))
    }

    @Test(arguments: ["022", "077", "007", "000"])
    func neutral(_ umask: String) throws {
        let bench = try bench()
        try run(["rmdir", bench.folder.path("lock")])
        try call(bench, umask, "--no-online", "stanza-create")
        try call(bench, umask, "--no-online", "--type=full", "backup")
        try call(bench, umask, "stop")
        #expect(try modes(bench.repository) == ["d 750", "f 640", "l 777"])
        #expect(try modes(bench.folder.path("log")) == ["f 640"])
        #expect(try run(["stat", "-c", "%a", bench.folder.path("lock"), bench.folder.path("lock/demo.stop")]).output == "770\n640\n")
        #expect(try Set(String(contentsOfFile: bench.folder.path("umasks"), encoding: .utf8).split(separator: "\n")) == ["0\(umask)"])
        let own = String(0o666 & ~(Int(umask, radix: 8) ?? 0), radix: 8)
        #expect(try run(["stat", "-c", "%a", bench.folder.path("made-by-filter")]).output == "\(own)\n")

        // What a restore makes has the modes of the backup.
        try call(bench, umask, "start")
        try run(["mkdir", "-m", "700", bench.folder.path("restored")])
        try call(bench, umask, "--pg1-path=\(bench.folder.path("restored"))", "--type=none", "restore")
        #expect(try modes(bench.folder.path("restored")) == ["d 700", "f 600"])
    }

    @Test func ofTheCaller() throws {
        let bench = try bench()
        try run(["rmdir", bench.folder.path("lock")])
        try call(bench, "077", "--neutral-umask=n", "--no-online", "stanza-create")
        try call(bench, "077", "--neutral-umask=n", "--no-online", "--type=full", "backup")
        try call(bench, "077", "--neutral-umask=n", "stop")
        #expect(try modes(bench.repository) == ["d 700", "f 600", "l 777"])
        #expect(try modes(bench.folder.path("log")) == ["f 600"])
        #expect(try run(["stat", "-c", "%a", bench.folder.path("lock"), bench.folder.path("lock/demo.stop")]).output == "700\n600\n")
    }
}
