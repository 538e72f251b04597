// swift-tools-version: 6.2
import PackageDescription

// Imports point down: Program → Commands, Drivers, Codecs → Core. A target that is not listed cannot be imported.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "pgbackstop",
    products: [
        .executable(name: "pgbackstop", targets: ["pgbackstop"]),
        .library(name: "BackstopCore", targets: ["BackstopCore"]),
        .library(name: "BackstopProgram", targets: ["BackstopProgram"]),
        .library(name: "BackstopConformance", targets: ["BackstopConformance"]),
    ],
    targets: [
        // Linked as it is shipped, without the Swift run-time libraries, in the build of the tests too (which cannot use --static-swift-stdlib).
        // The rest is for memory and start: one copy of equal functions, and relocations in a form of a tenth of the size.
        .executableTarget(
            name: "pgbackstop", dependencies: ["BackstopProgram"], path: "Sources/App/Main", swiftSettings: settings,
            linkerSettings: [
                .unsafeFlags([
                    "-static-stdlib", "-use-ld=lld", "-Xlinker", "--icf=safe", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
                ])
            ]),
        .target(
            name: "BackstopProgram",
            dependencies: ["BackstopCore", "BackstopDrivers", "BackstopCodecs", "BackstopCommands", "CSystem"], path: "Sources/App/Program",
            swiftSettings: settings),
        .target(name: "BackstopCore", dependencies: ["CSystem"], path: "Sources/Core", swiftSettings: settings),
        .target(
            name: "BackstopDrivers", dependencies: ["BackstopCore", "CSystem", "CCrypto", "CCurl", "CSsh2", "CXml"],
            path: "Sources/Drivers",
            swiftSettings: settings),
        .target(
            name: "BackstopCodecs", dependencies: ["BackstopCore", "CZlib", "CCrypto", "CZstd", "CLz4", "CBz2"],
            path: "Sources/Codecs", swiftSettings: settings),
        .target(
            name: "BackstopCommands", dependencies: ["BackstopCore", "BackstopConformance", "CSystem", "CPageChecksum", "CPq", "CXxhash"],
            path: "Sources/Commands", swiftSettings: settings),
        .target(name: "BackstopConformance", dependencies: ["BackstopCore"], path: "Sources/Conformance", swiftSettings: settings),

        .target(name: "CSystem"),
        .target(name: "CPageChecksum"),
        // Optimised in debug builds too: it sees every byte of what is stored in blocks.
        .target(name: "CXxhash", cSettings: [.unsafeFlags(["-O3"])]),
        .target(name: "CPq", dependencies: ["CSystem"]),
        .target(name: "CCurl", dependencies: ["CSystem"]),
        .target(name: "CSsh2", dependencies: ["CSystem"]),
        // Where Debian keeps the headers; pkg-config would have to be installed to be asked.
        .target(name: "CXml", dependencies: ["CSystem"], cSettings: [.unsafeFlags(["-I/usr/include/libxml2"])]),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CCrypto"),
        .systemLibrary(name: "CZstd"),
        .systemLibrary(name: "CLz4"),
        .systemLibrary(name: "CBz2"),

        .testTarget(
            name: "ConformanceTests",
            dependencies: ["BackstopCore", "BackstopDrivers", "BackstopCodecs", "BackstopConformance", "EndToEndSupport"],
            swiftSettings: settings),
        .target(name: "CTestSupport", path: "Tests/CTestSupport"),
        .testTarget(
            name: "BudgetTests", dependencies: ["BackstopCore", "BackstopDrivers", "BackstopCodecs", "CTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["BackstopCore", "BackstopDrivers", "BackstopCommands"], swiftSettings: settings),
        .testTarget(name: "PostgresTests", dependencies: ["BackstopCore", "BackstopCommands"], swiftSettings: settings),
        .testTarget(
            name: "RepositoryTests",
            dependencies: ["BackstopCore", "BackstopDrivers", "BackstopCodecs", "BackstopCommands", "EndToEndSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ObjectStoreTests",
            dependencies: ["BackstopCore", "BackstopDrivers", "BackstopConformance", "EndToEndSupport"], swiftSettings: settings),
        .testTarget(
            name: "DriverTests",
            dependencies: ["BackstopCore", "BackstopDrivers", "BackstopConformance", "EndToEndSupport"], swiftSettings: settings),
        // These run the program, with real PostgreSQL servers and a real pgBackRest: `./test` prepares what they need.
        .target(name: "EndToEndSupport", dependencies: ["BackstopConformance"], path: "Tests/EndToEndSupport", swiftSettings: settings),
        .testTarget(name: "EndToEndTests", dependencies: ["EndToEndSupport"], swiftSettings: settings),
        .testTarget(name: "InteropTests", dependencies: ["EndToEndSupport"], swiftSettings: settings),
    ]
)
