// restore: a backup back into a data directory, ready to recover (repository-format.md section 10).

import BackstopCore

struct RestoreCommand {
    private let context: RunContext
    private let stanza: String
    private let cluster: ClusterFiles

    static func run(_ context: RunContext) async throws(BackupError) {
        let stanza = try context.stanza()
        let cluster = try ClusterFiles(context, path: try context.options.required(PostgresOptions.path, 1))
        if context.options[RestoreOptions.plan] { return try await RestorePreview.show(context, cluster) }
        try await RestoreCommand(context: context, stanza: stanza, cluster: cluster).run()
    }

    private func run() async throws(BackupError) {
        var notes = RestoreNotes(log: context.log)
        var prepared = try await RestorePreparation.make(context, cluster, onlyLooks: false, &notes)
        defer { prepared.acting?.end() }
        let (set, manifest, target) = (prepared.set, prepared.manifest, prepared.target)
        try await target.checkSpace(besides: prepared.databases)
        if let acting = prepared.acting { try await target.makeMissingFolders(acting) }
        await LeftSpool.remove(stanza, context, owners: target.users)
        try await markUnfinished(manifest, set.repository)
        try await target.clean()
        try await target.layOut()

        let total = manifest.totalSize
        let copy = RestoreCopy(
            repository: set.repository, manifest: manifest, target: target, meter: ProgressMeter("restore", size: total, context),
            retry: Retry(context.options), workers: context.options[WorkOptions.processMax],
            readOver: UInt64(context.options[PlaceOptions.readOver, set.repository.index]),
            refusesBadPages: context.options[BackupOptions.checksumPageError], databases: prepared.databases,
            log: context.log)
        try await copy.run(besides: try await prepared.left(cluster))
        copy.meter.end()

        prepared.recovery.standing = try await StandingTargets(root: context.openTree(""), dataPath: cluster.path).names()
        try await writeRecovery(prepared.recovery, manifest)
        try await finish(manifest, copy, RestorePreparation.controlName)
        context.log.info("restore size = \(roundedSize(total)), file total = \(manifest.files.count)")
        let bad = copy.badFiles.count
        if bad > 0 {
            context.log.warn("restore command encountered page checksum error(s) in \(bad) file(s), check the log file for details")
        }
        copy.meter.succeed("backup set \(set.label) restored to \(cluster.path): \(roundedSize(total))")
    }

    /// While this file is in PGDATA an interrupted restore can be repeated with --delta.
    private func markUnfinished(_ manifest: Manifest, _ repository: StanzaRepository) async throws(BackupError) {
        var plain = manifest
        plain.seal = nil
        var text = ManifestText(plain, try repository.sha1(), version: Program.formatVersion)
        try await cluster.tree.makeDirectory(.root, Attributes(mode: manifest.places.dataFolder?.mode))
        _ = try await cluster.tree.put(
            Key(RestoreTarget.manifestName), from: &text, PutOptions(attributes: ownAttributes(manifest)))
    }

    /// Of files that the restore itself makes.
    private func ownAttributes(_ manifest: Manifest) -> Attributes {
        let data = manifest.places.dataFolder
        return Attributes(mode: (data?.mode ?? 0o700) & 0o644, user: data?.owner.user, group: data?.owner.group)
    }

    // MARK: Recovery settings

    private func writeRecovery(_ recovery: RecoverySettings, _ manifest: Manifest) async throws(BackupError) {
        guard let name = recovery.file else { return }
        let options = PutOptions(attributes: ownAttributes(manifest))
        if recovery.version < .v12 {
            context.log.info("write \(cluster.path)/\(name)")
            try await cluster.tree.put(Key(name), bytes: Array(try recovery.recoveryFile().utf8), options)
            return
        }
        let auto = Key(name)
        var old: [UInt8] = []
        if try await cluster.tree.stat(auto) != nil {
            old = try await cluster.tree.read(auto)
        } else {
            context.log.warn("\(name) does not exist -- creating to contain recovery settings")
        }
        context.log.info("write updated \(cluster.path)/\(name)")
        try await cluster.tree.put(auto, bytes: try recovery.autoFile(old), options)
        if let signal = recovery.signalFile { try await cluster.tree.put(Key(signal), bytes: [], options) }
    }

    // MARK: The end

    /// Makes everything durable, then puts pg_control in place: until then nothing can be started.
    private func finish(_ manifest: Manifest, _ copy: RestoreCopy, _ controlName: ManifestName) async throws(BackupError) {
        try await cluster.tree.sync(.root)
        try await cluster.tree.remove(Key(RestoreTarget.manifestName))
        guard let file = manifest.files.index(of: controlName).map({ manifest.files[$0] }) else {
            context.log.warn("backup does not contain '\(ClusterFiles.controlName)' -- cluster will not start")
            return
        }
        var bytes = try await copy.control(file)
        if manifest.settings.online {
            bytes = try ControlFile(bytes, forced: try context.forcedVersion()).storedWithoutCheckpoint
        }
        context.log.info("restore \(ClusterFiles.controlName) (performed last to ensure aborted restores cannot be started)")
        try await cluster.tree.put(
            Key(ClusterFiles.controlName), bytes: bytes,
            PutOptions(attributes: Attributes(file)))
    }
}

extension RestoreCommand {
    static let command = Command(
        CommandSpec(
            "restore", "Backup and restore", "restore a cluster from a backup",
            """
            Copies a backup back into the data directory and its tablespaces, and tells the server how to recover. The server has to \
            be down, and the folders have to be empty unless --delta or --force is given. With --plan it only tells what it would do.
            """
        ) {
            $0.allowsRoot = true
            $0.hasLogFile = true
        },
        locks: [.restore], repositories: .firstThatHas, onlyLooks: { $0[RestoreOptions.plan] }, run: run)
}
