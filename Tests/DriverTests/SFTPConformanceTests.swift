import BackstopConformance
import BackstopCore
import BackstopDrivers
import EndToEndSupport
import Foundation
import Testing

/// Servers that the driver has to get along with.
enum SFTPServerKind: String, CaseIterable, CustomStringConvertible {
    case openSSH = "OpenSSH"
    case plain = "OpenSSH without its extensions"
    case rekeying = "OpenSSH that changes its keys every MiB"
    var description: String { rawValue }

    private static let plainServer = Result {
        try SecureShell(settings: [
            "Subsystem sftp internal-sftp -P posix-rename,fsync,hardlink,statvfs,fstatvfs,lsetstat,limits,expand-path,copy-data"
        ])
    }
    private static let rekeyingServer = Result { try SecureShell(settings: ["Subsystem sftp internal-sftp", "RekeyLimit 1M"]) }

    var server: SecureShell {
        get throws {
            switch self {
            case .openSSH: try SecureShell.shared.get()
            case .plain: try Self.plainServer.get()
            case .rekeying: try Self.rekeyingServer.get()
            }
        }
    }
}

/// A repository by SFTP, opened as the program does it; what is given wins over what the server's own options say.
func openSFTP(
    _ server: SecureShell, _ path: String, _ given: KeyValuePairs<String, String> = [:], without missing: Set<String> = [], log: Log = Log()
) async throws -> any Storage {
    var values: [Options.Name: Options.Resolved] = [:]
    let usual = server.sftpOptions.filter { !missing.contains($0.0) }
    for (name, text) in usual + [("repo1-path", path)] + given.map({ ($0.key, $0.value) }) {
        let grouped = name.hasPrefix("repo1-")
        let key = Options.Name(grouped ? "repo-" + name.dropFirst(6) : name, grouped ? 1 : 0)
        let value: OptionValue =
            name.hasSuffix("known-host")
            ? .list(text.split(separator: " ").map(String.init)) : Int64(text).map { .number($0) } ?? .text(text)
        values[key] = Options.Resolved(value, .file("a file"))
    }
    var registry = Registry()
    registerBuiltinDrivers(in: &registry)
    return try await registry.storage("sftp").open(Options(values), 1, DriverContext(log: log))
}

@Suite(.servers) struct SFTPConformanceTests {
    @Test(arguments: SFTPServerKind.allCases, storageChecks)
    func storage(_ kind: SFTPServerKind, _ check: Check<StorageSubject>) async throws {
        // A server without posix-rename cannot replace a file in one step, and no driver can make up for it.
        let name = "a reader at the same time sees one object or the other"
        if kind == .plain && check.name == name {
            return try settle(.notApplicable("it has no posix-rename"), name, lacking: [name])
        }
        let folder = try TemporaryFolder()
        var subject = StorageSubject(
            name: kind.rawValue, storage: try await openSFTP(kind.server, folder.path("repository")), prefix: Key("checks"), life: .reduced
        ) { (name) async throws(BackupError) in
            do { return try await openSFTP(kind.server, folder.path("neighbours/" + name)) } catch {
                throw error as? BackupError ?? BackupError(.io, "\(error)")
            }
        }
        // Around one request, and what needs all that may be under way.
        subject.sizes += [32_767, 32_768, 32_769, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, (9 << 20) + 7]
        let verdict = try await check.run(on: subject)
        try settle(verdict, check.name, lacking: kind == .plain ? ifAbsentChecks : [])
    }
}
