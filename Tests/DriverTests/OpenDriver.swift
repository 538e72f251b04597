// Drivers in processes, opened as the program does it.

import BackstopConformance
import BackstopCore
import BackstopDrivers
import EndToEndSupport
import Foundation

/// As the program does: who writes to a process that is gone gets an error, not a signal.
private let ignoresBrokenPipes: Void = { signal(SIGPIPE, SIG_IGN) }()

/// A storage kept by the program; `options` without `repo1-`, times in milliseconds.
func openProgram(
    _ name: String, _ command: [String], _ options: KeyValuePairs<String, String> = [:], path: String = "/kept", answer: Int64 = 30_000,
    log: Log = Log()
) async throws(BackupError) -> any Storage {
    ignoresBrokenPipes
    var values: [Options.Name: Options.Resolved] = [
        Options.Name("protocol-timeout"): Options.Resolved(.number(answer), .commandLine),
        Options.Name("io-timeout"): Options.Resolved(.number(answer), .commandLine),
        Options.Name("repo-path", 1): Options.Resolved(.text(path), .commandLine),
    ]
    for (option, value) in options { values[Options.Name("repo-\(option)", 1)] = Options.Resolved(.text(value), .file("a file")) }
    return try await programDriver(name, command).open(Options(values), 1, DriverContext(log: log))
}

/// What keeps objects in another process.
enum ProgramKind: String, CaseIterable, CustomStringConvertible {
    case python = "the example in Python"
    case swift = "the example in Swift"
    case tutorial = "the driver of the tutorial"
    case served = "pgbackstop serve"
    case ssh = "ssh"
    var description: String { rawValue }

    /// Real sizes for one of them; `driver check` tries them on others.
    var life: SizeOfLife { self == .served ? .full : .reduced }

    func subject(_ folder: TemporaryFolder) async throws -> StorageSubject {
        StorageSubject(name: rawValue, storage: try await open(folder), prefix: Key("checks"), life: life) {
            (name) async throws(BackupError) in
            do { return try await open(folder, path: "/neighbours/\(name)") } catch {
                throw error as? BackupError ?? BackupError(.io, "\(error)")
            }
        }
    }

    /// An empty one, in that folder. `path`: of the repository in its store.
    func open(_ folder: TemporaryFolder, path: String = "/kept") async throws -> any Storage {
        ignoresBrokenPipes
        switch self {
        case .python:
            return try await openProgram(
                "folder", [Checkout.path("Examples/python-driver/folder-driver")], ["folder-root": folder.path], path: path)
        case .swift:
            return try await openProgram(
                "sqlite", [try Drivers.swiftExample.get() + "/sqlite-driver"], ["sqlite-file": folder.path("store.db")], path: path)
        case .tutorial:
            return try await openProgram("sqlite", [try Tutorial.driver(folder)], ["sqlite-file": folder.path("store.db")], path: path)
        case .served:
            return try await openServed(
                [Tool.underTest.path, "serve", "--allow-root", "--repo1-path=\(folder.path)\(path)"], path: folder.path + path)
        case .ssh:
            var values: [Options.Name: Options.Resolved] = [:]
            for (name, text) in try SecureShell.shared.get().options + [
                ("repo1-type", "ssh"), ("repo1-path", folder.path("repository") + path),
            ] {
                let grouped = name.hasPrefix("repo1-")
                let key = Options.Name(grouped ? "repo-" + name.dropFirst(6) : name, grouped ? 1 : 0)
                values[key] = Options.Resolved(Int64(text).map { .number($0) } ?? .text(text), .commandLine)
            }
            var registry = Registry()
            registerBuiltinDrivers(in: &registry)
            return try await registry.storage("ssh").open(Options(values), 1, DriverContext(log: Log()))
        }
    }
}

/// docs/first-driver.md, which the tests take at its word.
enum Tutorial {
    static func blocks(_ language: String) throws -> [String] {
        let text = try String(contentsOfFile: Checkout.path("docs/first-driver.md"), encoding: .utf8)
        return text.components(separatedBy: "```\(language)\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
    }

    /// The program that its reader has at the end.
    static func driver(_ folder: TemporaryFolder) throws -> String {
        try folder.writeProgram("sqlite-driver", try blocks("python").joined(separator: "\n"))
    }
}

/// A served folder, spoken to without ssh.
func openServed(_ command: [String], path: String) async throws -> any Storage {
    ignoresBrokenPipes
    var values: [Options.Name: Options.Resolved] = [:]
    values[Options.Name("repo-path", 1)] = Options.Resolved(.text(path), .commandLine)
    return try await programDriver("served", command).open(Options(values), 1, DriverContext(log: Log()))
}
