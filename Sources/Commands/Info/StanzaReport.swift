// What the repositories hold of one stanza, gathered for either form of `info` (repository-format.md sections 12.4 and 12.5).

import BackstopCore

struct StanzaReport: Sendable {
    struct Status: Sendable, Equatable {
        var code: Int
        var message: String

        static let ok = Status(code: 0, message: "ok")
        static let missingPath = Status(code: 1, message: "missing stanza path")
        static let noBackups = Status(code: 2, message: "no valid backups")
        static let missingData = Status(code: 3, message: "missing stanza data")
        static let mixed = Status(code: 4, message: "different across repos")
        static let mismatch = Status(code: 5, message: "database mismatch across repos")
        static let noSuchBackup = Status(code: 6, message: "requested backup not found")
        static func other(_ message: String) -> Status { Status(code: 99, message: message) }
    }

    /// The WAL of one cluster in one repository.
    struct Archive: Sendable {
        var database: DatabaseHistory.Database
        var repository: Int
        var min: String?
        var max: String?
    }

    struct Backup: Sendable {
        var summary: BackupSummary
        var repository: Int
        /// Only when one set was asked for.
        var manifest: Manifest?
    }

    struct RepositoryReport: Sendable {
        var index: Int
        var cipher: String
        var status: Status
        var history: DatabaseHistory?
        var backups: [BackupSummary] = []
        var archives: [Archive] = []

        init(_ index: Int, _ context: RunContext) {
            self.index = index
            cipher = context.options[CodecOptions.cipherType, index]
            status = .ok
        }

        init(_ index: Int, failed error: BackupError, _ context: RunContext) {
            self.init(index, context)
            status = .other("[\(StanzaReport.errorName(error.code))] \(error)")
        }
    }

    var name: String
    var repositories: [RepositoryReport]
    /// Of all repositories, by the time they ended.
    var backups: [Backup]
    var backupLocks: [(repository: Int, state: CommandLock.State)]
    var restoreLock: CommandLock.State?
    /// What `--set` asked for.
    var wantedSet: String?

    /// All repositories agree, or `mixed`.
    var cipher: String {
        let ciphers = Set(repositories.map(\.cipher))
        return ciphers.count == 1 ? ciphers.first! : "mixed"
    }

    var status: Status {
        let current = repositories.compactMap { $0.history?.current }
        if let first = current.first, !current.allSatisfy({ $0.identity == first.identity }) { return .mismatch }
        let codes = Set(repositories.map(\.status.code))
        guard codes.count == 1, let first = repositories.first else { return .mixed }
        return first.status.code == 99 ? Status(code: 99, message: "other") : first.status
    }

    // MARK: Gathering

    /// Failures of a repository become its status: `info` never fails for what it finds.
    static func gather(_ stanza: String, _ context: RunContext) async throws(BackupError) -> StanzaReport {
        var report = StanzaReport(
            name: stanza, repositories: [], backups: [], backupLocks: [],
            wantedSet: context.options[GeneralOptions.set])
        for index in context.repositories {
            let (repositoryReport, manifests) = await gather(stanza, index, report.wantedSet, context)
            report.repositories.append(repositoryReport)
            for summary in repositoryReport.backups {
                report.backups.append(Backup(summary: summary, repository: index, manifest: manifests[summary.label]))
            }
            if let state = CommandLock.state(.backup, stanza: stanza, repository: index, context.options) {
                report.backupLocks.append((index, state))
            }
            report.restoreLock = report.restoreLock ?? CommandLock.state(.restore, stanza: stanza, repository: index, context.options)
        }
        if let type = context.options[GeneralOptions.type] { report.backups.removeAll { $0.summary.type.rawValue != type } }
        if let set = report.wantedSet { report.backups.removeAll { $0.summary.label.text != set } }
        report.backups.sort { ($0.summary.timestampStop, $0.repository) < ($1.summary.timestampStop, $1.repository) }
        return report
    }

    private static func gather(
        _ stanza: String, _ index: Int, _ set: String?, _ context: RunContext
    ) async -> (RepositoryReport, [BackupLabel: Manifest]) {
        var report = RepositoryReport(index, context)
        do throws(BackupError) {
            let repository = StanzaRepository(try await Repository.open(index, context), stanza, context.log)
            report.cipher = repository.seal?.cipher ?? "none"
            guard let info = try await repository.backupInfoIfAny() else {
                let isThere = try await repository.storage.list(repository.layout.backups.parent).contains {
                    $0.key == repository.layout.backups
                }
                report.status = isThere ? .missingData : .missingPath
                return (report, [:])
            }
            let wanted = set.flatMap { BackupLabel($0) }
            if set != nil, wanted.flatMap(info.backup) == nil {
                report.status = info.backups.isEmpty ? .noBackups : .noSuchBackup
                return (report, [:])
            }
            report.history = info.history
            report.backups = info.backups
            for database in info.history.databases {
                let (min, max) = try await walRange(repository, database)
                if min == nil && database.id != info.history.currentID { continue }
                report.archives.append(Archive(database: database, repository: index, min: min, max: max))
            }
            if info.backups.isEmpty { report.status = .noBackups }
            guard let wanted else { return (report, [:]) }
            return (report, [wanted: try await repository.manifest(wanted, info.seal)])
        } catch {
            return (RepositoryReport(index, failed: error, context), [:])
        }
    }

    /// `FileMissingError`, as the field names its errors.
    private static func errorName(_ code: BackupError.Code) -> String {
        code.rawValue.prefix(1).uppercased() + code.rawValue.dropFirst() + "Error"
    }

    /// First and last complete segment of a cluster, by listing only the outermost folders.
    private static func walRange(
        _ repository: StanzaRepository, _ database: DatabaseHistory.Database
    ) async throws(BackupError) -> (String?, String?) {
        let archive = repository.layout.archive / database.archiveID
        let folders = try await repository.storage.list(archive).filter {
            $0.kind == .folder && $0.key.name.utf8.count == 16 && $0.key.name.utf8.allSatisfy(isUpperHexadecimal)
        }
        var min: String?
        var max: String?
        for folder in folders where min == nil { min = try await ArchiveFile.segments(in: folder.key, repository).first?.name }
        for folder in folders.reversed() where max == nil { max = try await ArchiveFile.segments(in: folder.key, repository).last?.name }
        return (min, max)
    }
}
