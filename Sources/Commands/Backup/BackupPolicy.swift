// What the user decided about a backup, as values.

import BackstopCore

struct BackupPolicy: Sendable {
    var isOnline = true
    /// nil: where the cluster has checksums.
    var checksPages: Bool?
    var checksPageHeaders = true
    /// A bad page ends the backup.
    var refusesBadPages = false
    var archiveCheck = true
    var archiveCopy = false
    var startFast = false
    var standby = StandbyUse.never
    /// For a standby to catch up, and for WAL.
    var archiveTimeout = Duration.seconds(60)
    var delta = false
    var resumes = true
    /// Bytes of the cluster after which the state is saved, if that is not too often.
    var saveThreshold: UInt64 = 1 << 30
    var annotations: [String: String] = [:]
    var makesLinks = true
    var hardlinks = false
    /// nil: each file is an object of its own.
    var bundling: Bundling?

    /// nil: files are stored whole.
    var blocks: BlockRules?

    struct Bundling: Sendable {
        /// Bytes of files at which a bundle is full.
        var size: UInt64 = 20 << 20
        /// Bytes of the largest file that goes into one.
        var limit: UInt64 = 2 << 20
    }

    var workers = 1
    /// Of what travels from another host without being stored compressed; 0: none.
    var networkLevel = 1
    var bufferSize = 1 << 20
    /// Bytes between two block maps of a bundle that are rather read than skipped.
    var readOver: UInt64 = 0
    var retry = Retry(times: 0, interval: .zero)
}

extension BackupPolicy {
    /// `repository`: index of the one that is backed up to.
    init(_ options: Options, repository: Int) throws(BackupError) {
        isOnline = options[GeneralOptions.online]
        checksPages = options[BackupOptions.checksumPage]
        checksPageHeaders = options[BackupOptions.pageHeaderCheck]
        refusesBadPages = options[BackupOptions.checksumPageError]
        archiveCheck = isOnline && options[ArchiveOptions.check]
        archiveCopy = archiveCheck && options[ArchiveOptions.copy]
        startFast = options[BackupOptions.startFast]
        standby = StandbyUse(options)
        archiveTimeout = options[ArchiveOptions.timeout]
        delta = options[BackupOptions.delta]
        resumes = options[BackupOptions.resume]
        saveThreshold = UInt64(options[BackupOptions.manifestSaveThreshold])
        annotations = options[BackupOptions.annotation]
        makesLinks = options[RepositoryOptions.symlink, repository]
        hardlinks = options[RepositoryOptions.hardlink, repository]
        if options[RepositoryOptions.bundle, repository] {
            bundling = Bundling(
                size: UInt64(options[RepositoryOptions.bundleSize, repository]),
                limit: UInt64(options[RepositoryOptions.bundleLimit, repository]))
            if options[RepositoryOptions.block, repository] { blocks = try BlockRules(options, repository: repository) }
        }
        workers = options[WorkOptions.processMax]
        networkLevel = options[CodecOptions.compressLevelNetwork]
        bufferSize = options[GeneralOptions.bufferSize]
        readOver = UInt64(options[PlaceOptions.readOver, repository])
        retry = Retry(options)
    }

    /// As the manifest keeps it.
    func settings(_ coding: ObjectCoding, checksPages: Bool, delta: Bool, standby: Bool) -> Manifest.Settings {
        Manifest.Settings(
            archiveCheck: archiveCheck, archiveCopy: archiveCopy, standby: standby, bufferSize: Int64(bufferSize),
            checksumPage: checksPages,
            compressType: coding.codec.name, compressLevel: Int64(coding.level), compressLevelNetwork: Int64(networkLevel), delta: delta,
            hardlink: hardlinks, online: isOnline, processMax: Int64(workers))
    }
}
