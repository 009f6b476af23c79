"""Where identities are planted: the places of three strata, as a table.

A place is a path of keywords, the kind of value that goes there, and the clinical words around it.
Standard, free text and nested; private and container places are built in ``deidentify_hide``.
"""

from dataclasses import dataclass

STANDARD, FREE, NESTED, PRIVATE, CONTAINER = (
    "standard",
    "free text",
    "nested",
    "private",
    "container",
)

STRATA = (STANDARD, FREE, NESTED, PRIVATE, CONTAINER)


@dataclass(frozen=True, slots=True)
class Place:
    """One attribute that gets a value: ``{}`` in the text; ``{own}`` is the person's own name."""

    stratum: str
    path: tuple[str, ...]
    kind: str
    text: str = "{}"
    only: str = ""
    """Modality that has the attribute; empty: every one."""


_SHORT = {
    "@shared": "SharedFunctionalGroupsSequence",
    "@frame": "PerFrameFunctionalGroupsSequence",
    "@tracer": "RadiopharmaceuticalInformationSequence",
}


def _table(stratum: str, rows: str) -> list[Place]:
    places = []
    for row in rows.strip().splitlines():
        path, kind, *rest = (cell.strip() for cell in row.split("|"))
        text = rest[0] if rest and rest[0] else "{}"
        only = rest[1] if len(rest) > 1 else ""
        keywords = tuple(_SHORT.get(part, part) for part in path.split("/"))
        places.append(Place(stratum, keywords, kind, text, only))
    return places


_STANDARD = """
OtherPatientIDs | national_id
PatientBirthName | name
PatientMotherBirthName | name
OtherPatientNames | name
PatientAddress | address
PatientTelephoneNumbers | mobile
PatientTelecomInformation | phone
CountryOfResidence | hospital
RegionOfResidence | address
Occupation | hospital
ResponsiblePerson | name
ResponsibleOrganization | hospital
MilitaryRank | name
MedicalRecordLocator | chart
IssuerOfPatientID | hospital
AccessionNumber | code
StudyID | chart
AdmissionID | chart
ServiceEpisodeID | code
InstitutionName | hospital
InstitutionAddress | address
InstitutionalDepartmentName | hospital
CurrentPatientLocation | code
PatientInstitutionResidence | address
ReferringPhysicianName | name
ReferringPhysicianAddress | address
ReferringPhysicianTelephoneNumbers | phone
ConsultingPhysicianName | name
PhysiciansOfRecord | name
PerformingPhysicianName | name
NameOfPhysiciansReadingStudy | name
OperatorsName | name
RequestingPhysician | name
ScheduledPerformingPhysicianName | name
StationName | code
DeviceSerialNumber | code
GantryID | code
DetectorID | code
CassetteID | code
PerformedStationAETitle | code
ScheduledStudyLocation | hospital
RequestingService | hospital
PerformedStationName | code
PerformedLocation | hospital | {} {own}
PerformedProcedureStepID | chart
RequestedProcedureID | code
PlacerOrderNumberImagingServiceRequest | code
FillerOrderNumberImagingServiceRequest | code
OrderEnteredBy | name
OrderCallbackPhoneNumber | phone
NamesOfIntendedRecipientsOfResults | name
InterpretationTranscriber | name
PersonName | name
ClinicalTrialSubjectID | chart
ClinicalTrialSiteName | hospital
ClinicalTrialSubjectReadingID | code
DeidentificationMethod | hospital
RetrieveAETitle | code
StorageMediaFileSetID | code
"""

_FREE = """
StudyDescription | name | MRI Brain {}
SeriesDescription | mobile | T1 MPRAGE AX {}
ProtocolName | chart | T1 MPRAGE BRAIN {}
RequestedProcedureDescription | national_id | MRI Brain {own} {} dementia
PerformedProcedureStepDescription | code | FDG PET BRAIN {} {own}
ImageComments | name | AX T2 pt {} moved
PatientComments | mobile | call {} after PET
AdditionalPatientHistory | roc_date | memory loss since {}
AdmittingDiagnosesDescription | name | AD, daughter {}
ReasonForStudy | roc_digits | dementia, seen {}
StudyComments | phone | report to {}
MedicalAlerts | name | pacemaker, ask {}
Allergies | hospital | contrast, see {}
SpecialNeeds | name | wheelchair with {}
PatientState | address | lives {}
VisitComments | roc_date | follow-up of {}
CommentsOnThePerformedProcedureStep | name | done by {}
RequestedProcedureComments | national_id | rule out AD {}
ImagingServiceRequestComments | chart | old films {}
AcquisitionComments | name | repeated, {} moved
AcquisitionDeviceProcessingDescription | name | filter by {}
AcquisitionProtocolDescription | name | Brain FDG for {}
DerivationDescription | code | resampled on {}
ContributionDescription | name | {}
DischargeDiagnosisDescription | roc_date | AD {}
DeviceDescription | hospital | head coil of {}
SequenceName | chart | tfl {} | MR
ReceiveCoilName | code | HEAD {} | MR
TransmitCoilName | code | BODY {} | MR
ConvolutionKernel | chart | XYZ {} | PT
ReconstructionMethod | name | OSEM {} | PT
ScatterCorrectionMethod | mobile | model {} | PT
AttenuationCorrectionMethod | roc_date | CT of {} | PT
ManufacturerModelName | hospital | model of {}
SoftwareVersions | mobile | V1 {}
"""

_NESTED = """
RequestAttributesSequence/RequestedProcedureDescription | name | MRI Brain {}
RequestAttributesSequence/RequestedProcedureID | code
RequestAttributesSequence/ScheduledProcedureStepDescription | mobile | AX T1 {}
RequestAttributesSequence/AccessionNumber | code
RequestAttributesSequence/ReasonForTheRequestedProcedure | name
RequestAttributesSequence/ScheduledProtocolCodeSequence/CodeMeaning | hospital
RequestedProcedureCodeSequence/CodeMeaning | hospital | MRI of {}
ProcedureCodeSequence/CodeMeaning | name | Brain {}
ProcedureCodeSequence/InstitutionName | hospital
ProcedureCodeSequence/LongCodeValue | hospital
RequestedProcedureCodeSequence/CodeValue | code
AnatomicRegionSequence/CodingSchemeVersion | code
PatientOrientationCodeSequence/CodingSchemeVersion | code | {} | PT
ReferencedPatientSequence/PatientID | chart
OtherPatientIDsSequence/PatientID | national_id
OtherPatientIDsSequence/IssuerOfPatientID | hospital
OriginalAttributesSequence/SourceOfPreviousValues | hospital
OriginalAttributesSequence/ModifiedAttributesSequence/PatientName | name
OriginalAttributesSequence/ModifiedAttributesSequence/PatientID | chart
OriginalAttributesSequence/ModifiedAttributesSequence/ReferringPhysicianName | name
AnatomicRegionSequence/CodeMeaning | name | Brain {}
AnatomicRegionSequence/AnatomicRegionModifierSequence/PatientID | chart
AnatomicRegionSequence/AnatomicRegionModifierSequence/CodeMeaning | hospital
ReferencedPerformedProcedureStepSequence/PatientName | name
ReferencedPerformedProcedureStepSequence/RequestedProcedureDescription | roc_date
ReferencedImageSequence/PurposeOfReferenceCodeSequence/CodeMeaning | name
SourceImageSequence/PurposeOfReferenceCodeSequence/CodeMeaning | code
PerformedProtocolCodeSequence/CodeMeaning | chart
PerformedProtocolCodeSequence/ProtocolContextSequence/ConceptNameCodeSequence/CodeMeaning | name
PerformedProtocolCodeSequence/ProtocolContextSequence/TextValue | name
AcquisitionContextSequence/TextValue | mobile
AcquisitionContextSequence/PersonName | name
AcquisitionContextSequence/ConceptNameCodeSequence/CodeMeaning | hospital
PhysiciansOfRecordIdentificationSequence/InstitutionName | hospital
ReferringPhysicianIdentificationSequence/PersonIdentificationCodeSequence/CodeMeaning | name
OperatorIdentificationSequence/PersonTelephoneNumbers | phone
InstitutionCodeSequence/CodeMeaning | hospital
ContributingEquipmentSequence/InstitutionName | hospital
ContributingEquipmentSequence/StationName | code
ContributingEquipmentSequence/OperatorsName | name
ContentSequence/TextValue | name
ContentSequence/ContentSequence/PersonName | name
ContentSequence/ContentSequence/ContentSequence/TextValue | national_id
ReferencedStudySequence/StudyDescription | name
DeidentificationMethodCodeSequence/CodeMeaning | hospital
EncryptedAttributesSequence/PatientName | name
IssuerOfPatientIDQualifiersSequence/UniversalEntityID | chart
PatientSpeciesCodeSequence/CodeMeaning | name
@shared/PatientName | name | {} | enhanced
@shared/FrameAnatomySequence/AnatomicRegionSequence/CodeMeaning | hospital | Brain {} | enhanced
@frame/FrameContentSequence/FrameComments | name | {} | enhanced
@frame/FrameContentSequence/FrameLabel | chart | {} | enhanced
@frame/PatientComments | mobile | {} | enhanced
@frame/ReferencedImageSequence/PatientName | name | {} | enhanced
@tracer/OperatorsName | name | {} | PT
@tracer/Radiopharmaceutical | mobile | FDG {} | PT
@tracer/AdministrationRouteCodeSequence/CodeMeaning | name | IV by {} | PT
@tracer/AdministrationRouteCodeSequence/PatientName | name | {} | PT
@tracer/RadiopharmaceuticalRoute | name | IV {} | PT
@tracer/RadionuclideCodeSequence/OperatorsName | name | {} | PT
DetectorInformationSequence/OperatorsName | name | {} | NM
DetectorInformationSequence/CollimatorGridName | code | LEHR {} | NM
DetectorInformationSequence/ViewCodeSequence/CodeMeaning | name | axial {} | NM
EnergyWindowInformationSequence/EnergyWindowName | mobile | Tc {} | NM
"""

PLACES = (
    *_table(STANDARD, _STANDARD),
    *_table(FREE, _FREE),
    *_table(NESTED, _NESTED),
)

CLINICAL = ("MRI", "Brain", "T1", "MPRAGE", "AX", "FDG", "PET", "BRAIN")
"""Words around planted values that a descriptor may keep."""
