// Files of earlier backups under a second name, so that a backup is whole in the folder of the repository (repository-format.md section 1.2).

import BackstopCore

extension StanzaRepository {
    /// Links what `manifest` refers to into its own folder. What is in a bundle or in blocks has no form of its own. `suffix`: of the codec.
    func linkReferences(of manifest: Manifest, suffix: String) async throws(BackupError) {
        guard let tree = storage as? any FileTree, storage.capabilities.contains(.hardLinks) else {
            log.warn("\(name): the storage has no hard links, so repo-hardlink has no effect")
            return
        }
        for file in manifest.files where file.bundle == nil && file.blockMapSize == nil {
            guard let reference = file.reference else { continue }
            let name = file.name.text + suffix
            do throws(BackupError) {
                try await tree.link(
                    layout.backup(manifest.label) / name, to: (layout.backup(manifest.references[reference]) / name).path, .hard)
            } catch  where file.size == 0 && error.code != .cancelled {
                // A backup with bundles holds nothing of what is empty.
                if suffix.isEmpty { try await tree.put(layout.backup(manifest.label) / name, bytes: [], PutOptions(.bySync)) }
            }
        }
    }
}
