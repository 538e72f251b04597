// The two programs that make and read repositories: the one under test, and the real pgBackRest.

import Foundation

public struct Tool: Sendable, CustomStringConvertible {
    /// A path that the account of the servers can execute.
    public let path: String
    public let name: String
    public var description: String { name }

    /// Our program as it was built beside the tests, or PGBACKSTOP_TEST_PROGRAM.
    public static let underTest: Tool = {
        let environment = ProcessInfo.processInfo.environment
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let built = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("pgbackstop").path
        let given = environment["PGBACKSTOP_TEST_PROGRAM"] ?? ""
        return try! Tool(copying: given.isEmpty ? built : given)
    }()

    /// The real pgBackRest, as it was released last.
    public static let peer = Tool(peer: [], name: "pgbackrest")

    /// The one of Debian 12, for who has not upgraded.
    public static let oldPeer = Tool(peer: ["old"], name: "pgbackrest of Debian 12")

    private init(peer arguments: [String], name: String) {
        let environment = ProcessInfo.processInfo.environment
        let line = try! run([Checkout.path("scripts/get-peer")] + arguments, environment: environment, within: 300, asRoot: true).output
        self.init(path: String(line.split(separator: " ")[0]), name: name)
    }

    /// The one under test, called by the peer's name.
    public static let byPeersName: Tool = {
        // First, because both write to `folders`.
        let program = underTest.path
        let folder = try! TemporaryFolder()
        folders.append(folder)
        try! run(["ln", "-s", program, folder.path("pgbackrest")])
        return Tool(path: folder.path("pgbackrest"), name: "pgbackrest, which is \(underTest)")
    }()

    private init(path: String, name: String) {
        self.path = path
        self.name = name
    }

    /// A clone may lie where user postgres cannot look, so the program is copied to where he can.
    public init(copying program: String) throws {
        name = URL(fileURLWithPath: program).lastPathComponent
        let folder = try TemporaryFolder()
        Tool.folders.append(folder)
        path = folder.path(name)
        try run(["install", "-m", "755", program, path], asRoot: true)
    }
    nonisolated(unsafe) private static var folders: [TemporaryFolder] = [] // written inside the initialisers of statics
}

/// The clone that these tests were built from.
public enum Checkout {
    public static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    public static func path(_ name: String) -> String { "\(root)/\(name)" }
    /// Repositories that pgBackRest made, with what they must restore to.
    public static var golden: String { goldenCopy.path("Golden") }

    /// A clone may lie where the account cannot look.
    private static let goldenCopy: TemporaryFolder = {
        let folder = try! TemporaryFolder()
        try! run(["cp", "-r", path("Tests/Golden"), folder.path("Golden")], asRoot: true)
        try! run(["chmod", "-R", "a+rX", folder.path("Golden")], asRoot: true)
        return folder
    }()
}
