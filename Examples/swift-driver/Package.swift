// swift-tools-version: 6.0
// A storage driver in Swift, as a third party would write it: once as a program of its own, once linked into pgBackstop.

import PackageDescription

let package = Package(
    name: "sqlite-driver",
    dependencies: [.package(name: "pgbackstop", path: "../..")],
    targets: [
        .systemLibrary(name: "CSQLite"),
        .target(name: "SQLiteDriver", dependencies: ["CSQLite", .product(name: "BackstopCore", package: "pgbackstop")]),
        .executableTarget(name: "sqlite-driver", dependencies: ["SQLiteDriver", .product(name: "BackstopCore", package: "pgbackstop")]),
        .executableTarget(
            name: "pgbackstop-with-sqlite",
            dependencies: [
                "SQLiteDriver", .product(name: "BackstopCore", package: "pgbackstop"), .product(name: "BackstopProgram", package: "pgbackstop"),
            ]),
    ]
)
