// Waiting for WAL of a server in a repository, and making sure that it is the server's own.

import BackstopCore

struct ArchiveCheck {
    let repository: StanzaRepository
    let archiveID: String
    let timeout: Duration
    let server: ArchivingServer

    /// nil with --no-archive-check.
    init?(_ repository: StanzaRepository, _ archive: ArchiveInfo, _ server: ArchivingServer, _ options: Options) {
        guard options[ArchiveOptions.check] else { return nil }
        self.repository = repository
        archiveID = archive.history.current.archiveID
        timeout = options[ArchiveOptions.timeout]
        self.server = server
    }

    /// Throws `.archiveTimeout` (82) when it does not come, `.archiveDuplicate` (45) when it is another server's.
    @discardableResult
    func wait(_ segment: String) async throws(BackupError) -> ArchivedSegment {
        let found = try await come(segment)
        try await server.prove(segment, found, in: repository)
        return found
    }

    /// All segments of a backup. They are archived in their order, so of those that the server says it archived the first and the last
    /// speak for all: a backup of hours may have thousands.
    func wait(all segments: [WALSegment]) async throws(BackupError) -> [ArchivedSegment] {
        var archived: [ArchivedSegment] = []
        for segment in segments { archived.append(try await come(segment.name)) }
        let waiting = await server.waiting()
        for (index, segment) in segments.enumerated() {
            guard index == 0 || index == segments.count - 1 || waiting.contains(segment.name) else { continue }
            try await server.prove(segment.name, archived[index], in: repository)
        }
        return archived
    }

    private func come(_ segment: String) async throws(BackupError) -> ArchivedSegment {
        do throws(BackupError) {
            return try await ArchiveWait.segment(segment, repository, archiveID, timeout: timeout, whileWaiting: server.tellFailure)
        } catch  where error.code == .archiveTimeout {
            throw server.explained(error, segment)
        }
    }
}

extension OnlineSession {
    func archiveCheck(
        _ repository: StanzaRepository, _ archive: ArchiveInfo, _ cluster: ClusterFiles, _ context: RunContext
    ) -> ArchiveCheck? {
        ArchiveCheck(repository, archive, ArchivingServer(connection, cluster, isStandby: isStandby, context), context.options)
    }
}
