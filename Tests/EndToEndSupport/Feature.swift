// What is promised of every kind of repository, and on which kinds each promise is tested: a covering choice, or all with `./test --all`.

import Foundation

/// What a test promises without knowing the kind of repository. Every feature is tested in a folder on this host. The other kinds are dealt to
/// them so that each kind meets every command, every circumstance and every deed, which reaches all that a driver does, without the product of
/// all, which grows with every feature and every driver.
public enum Feature: CaseIterable, Sendable {
    case roundTrip, incremental, bundles, blocks, resume, pointInTime, placesAsTheyWere, placesByDelta, unusualNames, namesOfAnyBytes,
        damagedPage
    case pushAndGet, everythingTwice, differentContent, duplicates, archiveOfAnother, damagedArchiveInfo, secondRepository
    case pushIsKilled, pushIsTerminated, backupIsKilled, backupIsTerminated, restoreIsKilled
    case stopped, stanzaDoesNotExist, otherCluster, wrongPassphrase
    case damagedBackupInfo, damagedFile, missingFile, lostManifest, lostManifests

    /// The commands whose success on the repository a test looks at.
    public enum Command: CaseIterable, Sendable {
        case archiveGet, archivePush, backup, check, info, restore, stanzaCreate, stop
    }

    /// The kinds of backup and restore.
    public enum Deed: CaseIterable, Sendable {
        case full, diff, incr, bundle, block, resume, deltaRestore
    }

    /// What is out of the ordinary.
    public enum Circumstance: CaseIterable, Sendable {
        case nothing, names, interruption, damage, refusal
    }

    public var commands: Set<Command> {
        switch self {
        case .roundTrip, .resume: [.stanzaCreate, .check, .archivePush, .backup, .info, .restore, .archiveGet]
        case .incremental, .bundles, .blocks, .pointInTime, .placesAsTheyWere, .restoreIsKilled, .backupIsKilled, .wrongPassphrase,
            .lostManifest:
            [.stanzaCreate, .archivePush, .backup, .info, .restore, .archiveGet]
        case .placesByDelta, .unusualNames, .namesOfAnyBytes: [.stanzaCreate, .archivePush, .backup, .restore]
        case .damagedPage, .backupIsTerminated, .lostManifests: [.stanzaCreate, .archivePush, .backup, .info]
        case .pushAndGet, .damagedArchiveInfo, .pushIsKilled: [.stanzaCreate, .archivePush, .archiveGet, .info]
        case .everythingTwice, .pushIsTerminated: [.stanzaCreate, .archivePush]
        case .differentContent, .duplicates, .secondRepository: [.stanzaCreate, .archivePush, .archiveGet]
        case .archiveOfAnother: [.stanzaCreate]
        case .stopped: [.stanzaCreate, .archivePush, .archiveGet, .backup, .info, .stop]
        case .stanzaDoesNotExist: [.info]
        case .otherCluster, .damagedBackupInfo, .damagedFile, .missingFile: [.stanzaCreate, .archivePush, .backup, .info]
        }
    }

    /// What a test does on the repository, of which nothing is shown by another one.
    public var deeds: Set<Deed> {
        switch self {
        case .blocks: [.full, .diff, .incr, .bundle, .block, .deltaRestore]
        case .bundles: [.full, .diff, .incr, .bundle, .deltaRestore]
        case .incremental: [.full, .diff, .incr, .deltaRestore]
        case .damagedPage: [.full, .incr, .bundle, .block, .deltaRestore]
        case .resume: [.full, .resume]
        case .placesByDelta, .restoreIsKilled: [.full, .deltaRestore]
        case .roundTrip, .pointInTime, .placesAsTheyWere, .backupIsKilled, .wrongPassphrase, .lostManifest, .unusualNames, .namesOfAnyBytes,
            .backupIsTerminated, .lostManifests, .stopped, .otherCluster, .damagedBackupInfo, .damagedFile, .missingFile:
            [.full]
        case .pushAndGet, .damagedArchiveInfo, .pushIsKilled, .everythingTwice, .pushIsTerminated, .differentContent, .duplicates,
            .secondRepository, .archiveOfAnother, .stanzaDoesNotExist:
            []
        }
    }

    public var circumstance: Circumstance {
        switch self {
        case .roundTrip, .incremental, .bundles, .blocks, .pointInTime, .placesAsTheyWere, .placesByDelta, .pushAndGet, .everythingTwice:
            .nothing
        case .unusualNames, .namesOfAnyBytes: .names
        case .resume, .pushIsKilled, .pushIsTerminated, .backupIsKilled, .backupIsTerminated, .restoreIsKilled: .interruption
        case .damagedPage, .damagedArchiveInfo, .damagedBackupInfo, .damagedFile, .missingFile, .lostManifest, .lostManifests,
            .secondRepository:
            .damage
        case .differentContent, .duplicates, .archiveOfAnother, .stopped, .stanzaDoesNotExist, .otherCluster, .wrongPassphrase: .refusal
        }
    }

    /// The kinds that this feature is tested on.
    public var kinds: [RepositoryKind] { [.posix] + others }

    /// Those of them that are no folder on this host.
    public var others: [RepositoryKind] {
        let all = RepositoryKind.others
        return Self.testsAll ? all : (Self.choice[self] ?? []).map { all[$0] }
    }

    /// What `./test --all` asks for.
    public static let testsAll = ProcessInfo.processInfo.environment["PGBACKSTOP_TEST_ALL"] != nil

    private static let choice = choose(kinds: RepositoryKind.others.count)

    /// Deals kinds of repositories, numbered from 0, to the features. Each kind gets the feature that brings most of what it has not met, of equals
    /// the one that fewest kinds have; then each feature that no kind has goes to the kind with the fewest.
    public static func choose(kinds: Int) -> [Feature: [Int]] {
        var choice = [Feature: [Int]](uniqueKeysWithValues: allCases.map { ($0, []) })
        var given = Array(repeating: 0, count: kinds)
        func give(_ kind: Int, to feature: Feature) {
            choice[feature, default: []].append(kind)
            given[kind] += 1
        }
        for kind in 0..<kinds {
            var commands = Set(Command.allCases), circumstances = Set(Circumstance.allCases), deeds = Set(Deed.allCases)
            while !commands.isEmpty || !circumstances.isEmpty || !deeds.isEmpty {
                func brings(_ feature: Feature) -> Int {
                    feature.commands.intersection(commands).count + (circumstances.contains(feature.circumstance) ? 1 : 0)
                        + feature.deeds.intersection(deeds).count
                }
                let most = allCases.map(brings).max() ?? 0
                guard most > 0,
                    let next = allCases.filter({ brings($0) == most }).min(by: { choice[$0]?.count ?? 0 < choice[$1]?.count ?? 0 })
                else { break }
                give(kind, to: next)
                commands.subtract(next.commands)
                circumstances.remove(next.circumstance)
                deeds.subtract(next.deeds)
            }
        }
        for feature in allCases where choice[feature] == [] {
            if let least = given.indices.min(by: { given[$0] < given[$1] }) { give(least, to: feature) }
        }
        return choice
    }
}
