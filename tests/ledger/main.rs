//! What the ledger promises, case by case, over the stand-in in this process and, when `WAYBILL_AWS_URL` names one,
//! over an AWS emulator (or AWS itself) through the real SDK.

mod cases;
mod figures;
mod lists;
mod pushes;
mod table;
