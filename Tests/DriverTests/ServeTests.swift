import BackstopCore
import EndToEndSupport
import Foundation
import Testing

/// `pgbackstop serve` gives a client what its own command line allows and nothing else, whatever the client sends.
@Suite(.servers) struct ServeTests {
    /// A served folder with a repository of two stanzas, and something outside of it.
    private struct Scene {
        let folder: TemporaryFolder
        let root: String

        init() throws {
            folder = try TemporaryFolder()
            root = try folder.makeDirectory("root")
            for name in ["root/archive/demo", "root/archive/other", "root/backup/demo/label", "outside"] { try folder.makeDirectory(name) }
            for name in [
                "root/archive/demo/archive.info", "root/archive/other/archive.info", "root/backup/demo/label/table", "root/note",
                "outside/secret",
            ] {
                try folder.write(name, "text of \(name)")
            }
        }

        func serve(_ arguments: String...) async throws -> any Storage {
            var values: [Options.Name: Options.Resolved] = [:]
            values[Options.Name("repo-path", 1)] = Options.Resolved(.text(root), .commandLine)
            let command = [Tool.underTest.path, "serve", "--allow-root"] + arguments
            return try await openServed(command, path: root)
        }
    }

    private func code(_ body: () async throws -> Void) async -> BackupError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? BackupError)?.code
        }
    }

    @Test func ownPath() async throws {
        let scene = try Scene()
        let storage = try await scene.serve("--repo1-path=\(scene.root)")
        #expect(try await storage.read(Key("note")) == Array("text of root/note".utf8))
        #expect(
            await code {
                _ = try await openServed([Tool.underTest.path, "serve", "--allow-root", "--repo1-path=\(scene.root)"], path: "/etc")
            } == .denied)
    }

    @Test func oneStanza() async throws {
        let scene = try Scene()
        let storage = try await scene.serve("--repo1-path=\(scene.root)", "--stanza=demo")
        _ = try await storage.read(Key("archive/demo/archive.info"))
        #expect(try await storage.list(Key("archive")).map(\.key.path) == ["archive/demo"])
        #expect(try await storage.list(.root).map(\.key.path) == ["archive", "backup"])
        for name in ["archive/other/archive.info", "note", "archive/demox", "archive", "backupdemo"] {
            #expect(await code { _ = try await storage.read(Key(name)) } == .denied, "\(name)")
            #expect(await code { try await storage.put(Key(name), bytes: [1]) } == .denied, "\(name)")
            #expect(await code { try await storage.remove(Key(name)) } == .denied, "\(name)")
        }
        #expect(await code { _ = try await storage.list(.root, .all) } == .denied)
        #expect(await code { _ = try await storage.list(Key("archive/other")) } == .denied)
        #expect(try String(contentsOfFile: "\(scene.root)/archive/other/archive.info", encoding: .utf8).hasPrefix("text"))
    }

    @Test func access() async throws {
        let scene = try Scene()
        let reader = try await scene.serve("--repo1-path=\(scene.root)", "--access=read")
        _ = try await reader.read(Key("backup/demo/label/table"))
        #expect(await code { try await reader.put(Key("new"), bytes: [1]) } == .denied)
        #expect(await code { try await reader.remove(Key("note")) } == .denied)
        let writer = try await scene.serve("--repo1-path=\(scene.root)", "--access=write")
        try await writer.put(Key("backup/demo/label/new"), bytes: [1])
        _ = try await writer.read(Key("archive/demo/archive.info"))
        #expect(try await writer.stat(Key("note")) != nil)
        #expect(await code { _ = try await writer.read(Key("backup/demo/label/table")) } == .denied)
        #expect(await code { try await writer.remove(Key("note")) } == .denied)
        #expect(FileManager.default.fileExists(atPath: "\(scene.root)/note"))
    }

    /// Who may add can neither change what is complete nor read it by another name.
    @Test func addsOnly() async throws {
        let scene = try Scene()
        let label = "20260101-000000F", other = "20260102-000000F"
        for name in [label, other] { try scene.folder.makeDirectory("root/backup/demo/\(name)") }
        for name in ["\(label)/table", "\(label)/backup.manifest", "\(other)/table"] {
            try scene.folder.write("root/backup/demo/\(name)", "text of \(name)")
        }
        let storage = try await scene.serve("--repo1-path=\(scene.root)", "--stanza=demo", "--access=write")
        let tree = try #require(storage as? any FileTree)
        let backups = Key("backup/demo")
        // What belongs to a backup that is not complete is written as often as needed, and so is what tells of all backups.
        try await storage.put(backups / "\(other)/table", bytes: [1])
        try await storage.put(Key("archive/demo/archive.info"), bytes: [1])
        // Nor does it say who may change what it adds, and since when it is there.
        try await storage.put(Key("archive/demo/new"), bytes: [1], PutOptions(attributes: Attributes(mode: 0o4777, modified: 1)))
        let added = try #require(try await storage.stat(Key("archive/demo/new")))
        #expect(added.attributes.mode == 0o640 && added.modified > 1_000_000)
        for name in ["\(label)/table", "\(label)/backup.manifest", "label/table"] {
            #expect(await code { try await storage.put(backups / name, bytes: [1]) } == .alreadyExists, "\(name)")
        }
        #expect(await code { try await tree.setAttributes(backups / "\(label)/table", Attributes(mode: 0)) } == .denied)
        try await tree.makeDirectory(backups / label, Attributes(mode: 0))
        #expect(try run(["stat", "-c", "%a", "\(scene.root)/backup/demo/\(label)"]).output != "0\n")
        for (name, target, kind) in [
            ("x.history", "backup/demo/\(label)/table", LinkKind.hard), ("archive.info", "../../backup/demo/\(label)/table", .symbolic),
            ("o", "../other", .symbolic), ("latest", "../other", .symbolic), ("latest", label + "/table", .symbolic),
            ("\(other)/backup.manifest", "../\(label)/table", .symbolic),
        ] {
            for folder in ["backup/demo", "archive/demo"] {
                #expect(
                    await code { try await tree.link(Key(folder) / name, to: target, kind) } == .denied, "\(folder)/\(name) → \(target)")
            }
        }
        try await tree.link(backups / "latest", to: label, .symbolic)
        try await tree.link(backups / "\(other)/pg_data/pg_tblspc/7", to: "../../pg_tblspc/7", .symbolic)
        try run(["ln", "-s", "\(label)/table", "\(scene.root)/backup/demo/backup.info"])
        for name in ["\(label)/table", "latest/table", "backup.info", "x.history"] {
            #expect(await code { _ = try await storage.read(backups / name) } == .denied, "\(name)")
        }
        #expect(try await storage.read(backups / "\(label)/backup.manifest") == Array("text of \(label)/backup.manifest".utf8))
        #expect(try String(contentsOfFile: "\(scene.root)/backup/demo/\(label)/table", encoding: .utf8) == "text of \(label)/table")
    }

    /// Links that lead outside are there for people of that host, not for clients.
    @Test func links() async throws {
        let scene = try Scene()
        try run(["ln", "-s", scene.folder.path("outside"), "\(scene.root)/link"])
        try run(["ln", "-s", scene.folder.path("outside/secret"), "\(scene.root)/file"])
        try run(["ln", "-s", scene.folder.path("outside/not-there"), "\(scene.root)/nowhere"])
        try run(["ln", "-s", "backup/demo", "\(scene.root)/inside"])
        let storage = try await scene.serve("--repo1-path=\(scene.root)")
        for name in ["link/secret", "file", "link/new", "nowhere"] {
            #expect(await code { _ = try await storage.read(Key(name)) } == .denied, "\(name)")
        }
        for name in ["link/new", "link/secret", "link/a/b"] {
            #expect(await code { try await storage.put(Key(name), bytes: [1]) } == .denied, "\(name)")
            #expect(await code { try await storage.remove(Key(name)) } == .denied, "\(name)")
        }
        #expect(await code { _ = try await storage.list(Key("link")) } == .denied)
        #expect(try await storage.read(Key("inside/label/table")) == Array("text of root/backup/demo/label/table".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: scene.folder.path("outside")) == ["secret"])
        #expect(try String(contentsOfFile: scene.folder.path("outside/secret"), encoding: .utf8) == "text of outside/secret")
    }

    // MARK: Bytes from anybody

    private static func frame(_ kind: String, _ payload: String) -> [UInt8] {
        let bytes = Array(payload.utf8)
        return Array(kind.utf8) + stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bytes.count >> $0) } + bytes
    }

    /// Runs it with these bytes as its input.
    private func feed(_ scene: Scene, _ bytes: [UInt8]) throws -> Outcome {
        let input = scene.folder.path("input")
        try Data(bytes).write(to: URL(fileURLWithPath: input))
        return try attempt(
            ["sh", "-c", "exec \"$0\" serve --repo1-path=\"$1\" <\"$2\"", Tool.underTest.path, scene.root, input])
    }

    @Test(arguments: [
        #"{"op":"stat","key":"../outside/secret"}"#, #"{"op":"open","key":"/etc/passwd"}"#, #"{"op":"open","key":"a//b"}"#,
        #"{"op":"open","key":"../outside/secret"}"#, #"{"op":"list","prefix":"..","depth":"all"}"#,
        #"{"op":"remove","keys":["../outside/secret"]}"#,
        #"{"op":"remove","keys":[""]}"#, #"{"op":"remove","keys":[7]}"#, #"{"op":"sync","prefix":"../outside"}"#,
        #"{"op":"open","key":"note","range":[5,1]}"#,
        #"{"op":"open","key":"note","range":[-5,1]}"#, #"{"op":"format"}"#, #"{"op":7}"#, #"{}"#,
        #"{"op":"list","prefix":"","depth":"deep"}"#,
        #"{"op":"open","key":"a\u0000b"}"#,
        #"{"op":"mkdir","key":"../outside/new"}"#, #"{"op":"rmdir","key":"../outside"}"#, #"{"op":"setattr","key":"../outside","mode":0}"#,
        #"{"op":"link","key":"a","target":"/etc","kind":"symbolic"}"#, #"{"op":"link","key":"a","target":"../outside","kind":"symbolic"}"#,
        #"{"op":"link","key":"backup/a","target":"x/../../../outside","kind":"symbolic"}"#, #"{"op":"link","key":"a","target":"note"}"#,
        #"{"op":"link","key":"a","target":"../outside/secret","kind":"hard"}"#, #"{"op":"mkdir"}"#,
        // Of a cluster, which this is not.
        #"{"op":"connect"}"#, #"{"op":"query","sql":"select 1"}"#, #"{"op":"open","key":"note","steps":[{"tap":"size"}]}"#,
    ])
    func refusals(_ call: String) throws {
        let scene = try Scene()
        let outcome = try feed(
            scene,
            Self.frame("C", #"{"op":"hello","proto":1}"#) + Self.frame("C", #"{"op":"start","config":{}}"#) + Self.frame("C", call)
                + Self.frame("C", #"{"op":"stat","key":"note"}"#))
        // It says no, and goes on.
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.output.contains("\"code\":") && outcome.output.contains("\"key\":\"note\""), "\(outcome)")
        #expect(!outcome.output.contains("text of"), "\(outcome)")
        #expect(FileManager.default.fileExists(atPath: scene.folder.path("outside/secret")))
        #expect(try run(["find", scene.root, "-type", "l"]).output.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scene.folder.path("outside")) == ["secret"])
    }

    @Test(arguments: [
        "C\u{7f}\u{7f}\u{7f}\u{7f}", "C\0\0\0\u{2}[]", "C\0\0\0\u{1}", "Q\0\0\0\0", "GET / HTTP/1.1\r\n\r\n", "D\0\0\0\u{1}x", "C\0\0",
    ])
    func nonsense(_ text: String) throws {
        let scene = try Scene()
        let outcome = try feed(scene, Array(text.unicodeScalars.map { UInt8($0.value) }))
        #expect(outcome.status > 0 && outcome.status < 126, "\(outcome)")
        #expect(outcome.errors.contains("the client"), "\(outcome)")
    }

    /// A whole conversation with some bytes changed: an error or an answer, and nothing outside of the folder.
    @Test func fuzz() throws {
        let good =
            Self.frame("C", #"{"op":"hello","proto":1}"#) + Self.frame("C", #"{"op":"start","config":{}}"#)
            + Self.frame("C", #"{"op":"put","key":"backup/demo/x","options":{"durable":true}}"#) + Self.frame("D", "some bytes")
            + Self.frame("D", "more bytes") + Self.frame("E", "{}")
            + Self.frame("C", #"{"op":"open","key":"backup/demo/x","range":[3,12]}"#)
            + Self.frame("C", #"{"op":"list","prefix":"backup","depth":"all"}"#)
            + Self.frame("C", #"{"op":"mkdir","key":"backup/demo/label/folder","mode":488}"#)
            + Self.frame("C", #"{"op":"link","key":"backup/demo/latest","target":"label","kind":"symbolic"}"#)
            + Self.frame("C", #"{"op":"rmdir","key":"backup/demo/label/folder"}"#)
            + Self.frame("C", #"{"op":"remove","keys":["backup/demo/x"]}"#)
        let scene = try Scene()
        let whole = try feed(scene, good)
        #expect(whole.status == 0 && whole.output.contains("e bytesmo"), "\(whole)")
        var random = Seeded(2026)
        for _ in 0..<150 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
                default: bytes.removeLast(min(place, bytes.count - 1))
                }
            }
            let outcome = try feed(scene, bytes)
            #expect(outcome.status < 126, "\(outcome)\n\(bytes)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scene.folder.path("outside")) == ["secret"])
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: scene.folder.path)).subtracting(["root", "outside", "input"]).isEmpty)
        let left = try run(["find", scene.root, "-name", "*.tmp"]).output
        #expect(left.isEmpty, "\(left)")
    }

    /// A client that dies in the middle of an object leaves nothing.
    @Test func clientDies() throws {
        let scene = try Scene()
        let outcome = try feed(
            scene,
            Self.frame("C", #"{"op":"start","config":{}}"#) + Self.frame("C", #"{"op":"put","key":"backup/demo/x","options":{}}"#)
                + Self.frame("D", "some bytes"))
        #expect(outcome.status > 0 && outcome.status < 126, "\(outcome)")
        #expect(try run(["find", "\(scene.root)/backup"]).output.split(separator: "\n").count == 4)
    }
}
