import EndToEndSupport
import Foundation
import Testing

/// A repository that has no room left in the middle of a bundle: the backup ends with the reason, is none, and the next one can be made.
@Suite(.servers)
struct FullRepositoryTests {
    /// How a repository fills up, and gets room again.
    private struct Place {
        let bench: Workbench
        let fill: () throws -> Void
        let makeRoom: () throws -> Void
    }

    private static let options: KeyValuePairs<String, String> = [
        "repo1-bundle": "y", "repo1-bundle-size": "64MiB", "repo1-bundle-limit": "1MiB", "process-max": "1",
    ]

    /// A file system of its own; nil where nothing can be mounted.
    private func folder() throws -> Place? {
        let bench = try Workbench(Format(.zst), options: Self.options)
        let mount = try attempt(
            ["mount", "-t", "tmpfs", "-o", "size=64m,mode=750,uid=postgres,gid=postgres", "none", bench.repository], asRoot: true)
        guard mount.status == 0 else {
            print("a repository that is full is not tried in a folder, as in a container nothing can be mounted: \(mount)")
            return nil
        }
        return Place(bench: bench) {
            try run(
                ["sh", "-ec", "free=$(df -B1 --output=avail . | tail -n 1); head -c $((free - 2000000)) /dev/zero >filler"],
                in: bench.repository)
        } makeRoom: {
            try run(["rm", "\(bench.repository)/filler"])
        }
    }

    /// The program of a third party, on a disk that ends where the test says.
    private func driver() throws -> Place {
        let text = try String(contentsOfFile: Checkout.path("Examples/python-driver/folder-driver"), encoding: .utf8)
        let check = """
                                    if "/bundle/" in call["key"] and os.path.exists(self.top + "/full") and file.tell() > 2000000:
                                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), temporary)

            """
        let write = "                        file.write(payload)\n"
        guard text.contains(write) else { throw Failure("the example of a driver does not write as it did") }
        let kind = RepositoryKind(description: "a driver whose disk ends", peerReads: false) { folder, name in
            let path = try folder.makeDirectory(name, mode: "750")
            let driver = try folder.write("full-driver", text.replacing(write, with: check + write))
            try run(["chmod", "755", driver])
            let plugins = try folder.write("plugins.conf", Drivers.plugins("folder = exec \(driver)"))
            return .folder(
                path + "/kept", [("repo1-type", "folder"), ("repo1-path", "/kept"), ("repo1-folder-root", path)], ["--plugins=\(plugins)"])
        }
        let bench = try Workbench(Format(.zst), on: kind, options: Self.options)
        let mark = bench.folder.path("repository/full")
        return Place(bench: bench) {
            try run(["touch", mark])
        } makeRoom: {
            try run(["rm", mark])
        }
    }

    /// A store that refuses the second part of an upload.
    private func store() throws -> Place {
        let store = try ObjectStore.shared.get()
        let proxy = try FaultProxy(store)
        let kind = RepositoryKind(description: "s3 that is full") { folder, name in
            .bucket(store, path: "/\(URL(fileURLWithPath: folder.path).lastPathComponent)/\(name)", port: proxy.port)
        }.with(["repo1-storage-upload-chunk-size": "5MiB"])
        let bench = try Workbench(Format(.zst), on: kind, options: Self.options)
        return Place(bench: bench) {
            try proxy.set(
                #"{"method": "PUT", "has": "partNumber=2", "fault": "status", "status": 507, "times": 9, "body": "<Error><Code>XMinioStorageFull</Code><Message>no room</Message></Error>"}"#
            )
        } makeRoom: {
            try proxy.set()
        }
    }

    @Test(arguments: ["folder", "driver", "store"])
    func inTheMiddleOfABundle(_ kind: String) throws {
        guard let place = kind == "folder" ? try folder() : kind == "driver" ? try driver() : try store() else { return }
        let bench = place.bench
        defer { if kind == "folder" { _ = try? attempt(["umount", "-l", bench.repository], asRoot: true) } }
        try GoldenTiny.beginStopped(bench)
        // What does not shrink.
        func change() throws {
            try run(
                [
                    "sh", "-ec",
                    "mkdir -p -m 700 work; for n in $(seq $0); do head -c 200000 /dev/urandom >work/$n; done; chmod 600 work/*",
                    kind == "store" ? "130" : "40",
                ],
                in: bench.data)
        }
        try change()
        try bench.run("--no-online", "--type=full", "backup")
        let labels = try bench.labels()
        try change()
        try place.fill()
        for _ in 0..<2 {
            let outcome = try bench.attempt("--no-online", "--type=incr", "backup")
            #expect(outcome.status == 64, "\(outcome)")
            #expect(outcome.text.contains("files to repo1, bundle 1"), "\(outcome)")
            #expect(outcome.text.contains(kind == "store" ? "XMinioStorageFull" : "No space left on device"), "\(outcome)")
            #expect(try bench.labels() == labels)
            #expect(try bench.files.unfinished("backup").isEmpty)
            #expect(try !bench.files.names("backup/demo").contains { $0.contains("I/bundle/") })
        }
        try place.makeRoom()
        let next = try bench.run("--no-online", "--type=incr", "--log-level-console=info", "backup")
        #expect(try bench.labels().count == 2)
        #expect(try bench.files.names("backup/demo").filter { $0.contains("I/bundle/") }.count == 1, "\(next)")
        for label in try bench.labels() {
            try run(["sh", "-ec", "rm -rf \"$0\"; mkdir -m 700 \"$0\"", bench.folder.path("restored")])
            try bench.run("--pg1-path=\(bench.folder.path("restored"))", "--type=none", "--set=\(label)", "restore")
        }
        try run(["diff", "-r", "\(bench.data)/work", "\(bench.folder.path("restored"))/work"])
    }
}
