import BackstopCore
import EndToEndSupport
import Foundation
import Testing

/// Drivers that break the protocol are errors that name them, whatever they do; never a crash, never a wait without end.
@Suite(.servers) struct BrokenDriverTests {
    /// `answer`: milliseconds. A Python that starts beside four other tests needs more than one second.
    private func open(_ mode: String, _ folder: TemporaryFolder, answer: Int64 = 6000) async throws -> any Storage {
        try await openProgram("tape", Saboteur.command(mode), ["tape-root": folder.path], answer: answer)
    }

    private func failure(_ body: () async throws -> Void) async -> BackupError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? BackupError
        }
    }

    @Test(arguments: [
        ("does not say hello", "does not answer within", BackupError.Code.unavailable),
        ("ends at once", "ended in place of an answer, with status 1\nit said: no library is connected", .unavailable),
        ("ends with a report", "with status 7\nit said:\n  line 4\n  line 5", .unavailable), ("is killed", "with signal 9", .unavailable),
        ("greets people", "printed 'the library wakes up' where a frame belongs", .unavailable),
        ("has a default that is a number", "an option that cannot be", .protocol),
        ("has a default that is no integer", "an option that cannot be", .protocol),
        ("has a secret that is a text", "an option that cannot be", .protocol), ("has options that are a text", "no list", .protocol),
        ("is of another version", "version 99", .protocol),
        ("has an impossible option", "Folder Name", .protocol),
    ])
    func notOpened(_ mode: String, _ text: String, _ code: BackupError.Code) async throws {
        let folder = try TemporaryFolder()
        let error = try #require(await failure { _ = try await open(mode, folder) })
        #expect(error.code == code && error.message.contains("driver 'tape'") && error.message.contains(text), "\(error)")
    }

    @Test(arguments: [
        ("sends garbage", "printed 'HTTP/1.1 200 OK' where a frame belongs"),
        ("announces too much", "a frame R of 4294967295 bytes, the limit is 1048576"),
        ("breaks off in a frame", "in the middle of a frame"),
        ("sends no JSON", "no JSON object"), ("answers with a list", "no JSON object"), ("nests deeply", "no JSON object"),
        ("tells of another", "no entry for"), ("has a negative size", "no entry for"), ("talks without end", "does not answer within"),
    ])
    func stat(_ mode: String, _ text: String) async throws {
        let folder = try TemporaryFolder()
        let storage = try await open(mode, folder)
        let error = try #require(await failure { _ = try await storage.stat(Key("a")) })
        #expect([.unavailable, .corrupt].contains(error.code), "\(error)")
        #expect(error.message.contains("driver 'tape'") && error.message.contains(text), "\(error)")
        // The next request does not meet what was left of this one.
        try await storage.put(Key("b"), bytes: [1, 2, 3])
        #expect(try await storage.read(Key("b")) == [1, 2, 3])
    }

    @Test(arguments: [
        (0o600, "#!/bin/sh\n", "chmod +x"), (0o700, "#!/no/such/interpreter\n", "first line"), (0o700, "nothing\n", "#!"),
    ])
    func notStarted(_ mode: Int, _ text: String, _ hint: String) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("driver")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, mode_t(mode))
        let error = try #require(await failure { _ = try await openProgram("tape", [path]) })
        #expect(error.code == .execute && error.hint?.contains(hint) == true, "\(error)")
    }

    @Test(arguments: [("leads outside", "etc/passwd"), ("lists elsewhere", "elsewhere/x")])
    func list(_ mode: String, _ text: String) async throws {
        let folder = try TemporaryFolder()
        let storage = try await open(mode, folder)
        let error = try #require(await failure { _ = try await storage.list(Key("here"), .all) })
        #expect(error.code == .corrupt && error.message.contains(text), "\(error)")
    }

    @Test(arguments: [("exits in open", "ended in place of"), ("never ends", "does not answer within")])
    func open(_ mode: String, _ text: String) async throws {
        let folder = try TemporaryFolder()
        let storage = try await open(mode, folder)
        try await storage.put(Key("a"), bytes: [UInt8](repeating: 7, count: 300_000))
        let error = try #require(await failure { _ = try await storage.read(Key("a")) })
        #expect(error.code == .unavailable && error.message.contains(text), "\(error)")
        #expect(try await storage.stat(Key("a"))?.size == 300_000)
    }

    @Test func moreThanTheRange() async throws {
        let folder = try TemporaryFolder()
        let storage = try await open("sends too much", folder)
        try await storage.put(Key("a"), bytes: [UInt8](repeating: 7, count: 300_000))
        let error = try #require(
            await failure {
                var source = try await storage.open(Key("a"), range: 10..<20)
                _ = try await source.readAll()
            })
        #expect(error.code == .corrupt && error.message.contains("more"), "\(error)")
    }

    @Test(arguments: [
        ("exits in put", "the tape is torn"), ("hangs in put", "does not take what is sent within"), ("lies about the size", "bytes"),
        ("lies about the name", "does not tell what it stored"), ("answers before the end", "driver 'tape'"),
    ])
    func put(_ mode: String, _ text: String) async throws {
        let folder = try TemporaryFolder()
        let storage = try await open(mode, folder)
        // More than pipes hold.
        let error = try #require(await failure { try await storage.put(Key("a"), bytes: [UInt8](repeating: 7, count: 5 << 20)) })
        #expect(error.message.contains(text), "\(error)")
        if !mode.hasPrefix("lies") { #expect(try await storage.stat(Key("a")) == nil) }
    }

    /// What a driver says reaches the log, where it is told from what others say.
    @Test func diagnostics() async throws {
        let bench = try Workbench(Format(.none), on: .program, options: ["log-level-console": "detail"])
        let driver = try bench.folder.writeProgram(
            "talking-driver", "#!/bin/sh\necho 'the library wakes up' >&2\nexec \"$0.d\" \"$@\"\n")
        _ = try Drivers.copy("Examples/python-driver/folder-driver", into: bench.folder)
        try run(["mv", bench.folder.path("folder-driver"), driver + ".d"])
        try bench.folder.write("plugins.conf", Drivers.plugins("folder = exec \(driver)"))
        let cluster = try Cluster.make(.version(15), in: bench.folder, name: "data")
        let outcome = try bench.attempt("--no-online", "stanza-create")
        #expect(outcome.status == 0 && outcome.text.contains("driver 'folder': the library wakes up"), "\(outcome)")
        withExtendedLifetime(cluster) {}
    }
}
