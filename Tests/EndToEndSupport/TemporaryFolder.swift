// Folders that user postgres can work in and that are gone afterwards, together with the servers that live in them.

import Foundation

/// A folder with a short path (that of a Unix socket must be), owned by the account that servers run as; removed when dropped. In memory where the
/// machine has it: servers and repositories that live for seconds need no disk.
public final class TemporaryFolder: Sendable {
    public let path: String

    /// `onDisk`: for tests of what is made durable.
    public init(onDisk: Bool = false) throws {
        let parent = onDisk ? "/tmp" : Self.parent
        var template = Array("\(parent)/pgbackstop-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("cannot make a folder in \(parent)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, 0o755)
        Leftovers.shared.add(path)
        if Account.isRoot {
            guard let account = getpwnam(Account.name) else { throw Failure("there is no user postgres; scripts/install-packages test") }
            chown(path, account.pointee.pw_uid, account.pointee.pw_gid)
        }
    }

    /// PGBACKSTOP_TEST_FOLDER says another one.
    public static let parent: String = {
        if let given = ProcessInfo.processInfo.environment["PGBACKSTOP_TEST_FOLDER"], !given.isEmpty { return given }
        let memory = "/dev/shm"
        // ST_RDONLY and ST_NOEXEC, which the C library keeps from Swift.
        let noExecution: UInt = 1 | 8
        var status = statvfs()
        guard statvfs(memory, &status) == 0, status.f_flag & noExecution == 0, access(memory, W_OK) == 0,
            UInt64(status.f_bavail) * UInt64(status.f_frsize) > 6 << 30
        else { return "/tmp" }
        return memory
    }()

    deinit { Leftovers.shared.remove(path) }

    /// The path of something inside.
    public func path(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    public func makeDirectory(_ name: String, mode: String = "700") throws -> String {
        try run(["mkdir", "-p", "-m", mode, path(name)])
        return path(name)
    }

    /// Writes a file that the account owns.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String {
        let file = path(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        if Account.isRoot { try run(["chown", "\(Account.name):", file], asRoot: true) }
        return file
    }

    /// Writes a program that anybody can run. Another process does it: while this one has a file open for writing, a program that another
    /// test starts at the same moment has it too, and whoever runs it then is told that it is busy.
    @discardableResult
    public func writeProgram(_ name: String, _ text: String) throws -> String {
        let source = try write("\(name).text", text)
        try run(["install", "-m", "755", source, path(name)])
        try FileManager.default.removeItem(atPath: source)
        return path(name)
    }
}

/// What must not outlive the tests: a folder that is kept for many tests (a static) is removed at exit.
/// PGBACKSTOP_TEST_KEEP=1 keeps the folders, to look at after a failure.
final class Leftovers: @unchecked Sendable { // `lock` guards `folders`
    static let shared = Leftovers()
    private let lock = NSLock()
    private var folders: Set<String> = []

    private init() {
        atexit { for folder in Leftovers.shared.lock.withLock({ Leftovers.shared.folders }) { Leftovers.shared.remove(folder) } }
    }

    func add(_ folder: String) { _ = lock.withLock { folders.insert(folder) } }

    func remove(_ folder: String) {
        _ = lock.withLock { folders.remove(folder) }
        // A server writes its process id into its data folder, which lies directly below ours.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let file = try? String(contentsOfFile: "\(folder)/\(name)/postmaster.pid", encoding: .utf8),
                let first = file.split(separator: "\n").first, let process = pid_t(first), process > 1
            else { continue }
            kill(process, SIGQUIT)
            _ = try? eventually("server \(process) is gone", within: 5) {
                FileManager.default.fileExists(atPath: "\(folder)/\(name)/postmaster.pid") ? nil : true
            }
        }
        if ProcessInfo.processInfo.environment["PGBACKSTOP_TEST_KEEP"] == nil { _ = try? run(["rm", "-rf", folder], asRoot: true) }
    }
}
